"""What people read when something goes wrong: what happened, and what to do. Russian and English."""

# code → language → (message, remedy). ``{field}`` is the field that the error names.
ERRORS: dict[str, dict[str, tuple[str, str]]] = {
    "unauthorized": {
        "ru": ("Не удалось подтвердить вход.", "Обновите страницу amoCRM."),
        "en": ("Your sign-in could not be verified.", "Reload the amoCRM page."),
    },
    "integration_unknown": {
        "ru": (
            "Эта интеграция не зарегистрирована на сервере.",
            "Администратору: добавьте её client id и секрет на сервере отчётов.",
        ),
        "en": (
            "This integration is not registered on the server.",
            "Administrator: add its client id and secret on the reporting server.",
        ),
    },
    "forbidden": {
        "ru": ("Нет доступа к отчётам.", "Попросите администратора amoCRM проверить вашу учётную запись."),
        "en": ("You have no access to the reports.", "Ask the amoCRM administrator to check your user."),
    },
    "still_loading": {
        "ru": ("Данные аккаунта ещё загружаются.", "Первые цифры появятся через несколько минут."),
        "en": ("The account's data are still being loaded.", "The first numbers appear within minutes."),
    },
    "conflict": {
        "ru": ("Сейчас это невозможно.", "Повторите через несколько минут."),
        "en": ("That is not possible now.", "Try again in a few minutes."),
    },
    "reauth_required": {
        "ru": ("Доступ к amoCRM отозван.", "Администратору: установите интеграцию ещё раз."),
        "en": ("Access to amoCRM was withdrawn.", "Administrator: install the integration again."),
    },
    "account_blocked": {
        "ru": ("amoCRM заблокировал запросы аккаунта.", "Администратору: обратитесь в поддержку amoCRM."),
        "en": ("amoCRM has blocked the account's requests.", "Administrator: ask amoCRM's support."),
    },
    "not_connected": {
        "ru": ("Аккаунт не подключён к отчётам.", "Администратору: установите интеграцию ещё раз."),
        "en": ("The account is not connected.", "Administrator: install the integration again."),
    },
    "not_found": {
        "ru": ("Не найдено.", "Проверьте адрес."),
        "en": ("Not found.", "Check the address."),
    },
    "method_not_allowed": {
        "ru": ("Такой запрос здесь невозможен.", "Проверьте метод запроса."),
        "en": ("This kind of request is not possible here.", "Check the request's method."),
    },
    "too_large": {
        "ru": ("Запрос слишком большой.", "Сократите его."),
        "en": ("The request is too large.", "Make it smaller."),
    },
    "try_later": {
        "ru": ("Сервер временно недоступен.", "Повторите через несколько секунд."),
        "en": ("The server is temporarily unavailable.", "Try again in a few seconds."),
    },
    "too_many": {
        "ru": ("Слишком много запросов.", "Повторите через минуту."),
        "en": ("Too many requests.", "Try again in a minute."),
    },
    "internal": {
        "ru": ("Ошибка на сервере.", "Повторите позже; если не проходит, сообщите код запроса в поддержку."),
        "en": ("Something went wrong on the server.", "Try again later; if it stays, report the request id."),
    },
}


# Where the technical message says more than a fixed text could, it stands for the English one, and as
# ``detail`` beside the Russian one.
CORRECT_IT = "Correct it and try again."
TECHNICAL: dict[str, tuple[str, str]] = {
    "bad_input": ("Запрос не понят.", "Исправьте его и повторите."),
    "bad_field": ("Значение «{field}» не подходит.", "Исправьте его и повторите запрос."),
}


def error_text(code: str, lang: str) -> tuple[str | None, str | None]:
    """Message and remedy for people; (None, None) for codes that only programs meet."""
    texts = ERRORS.get(code)
    return texts[lang] if texts else (None, None)


def input_text(field: str | None, lang: str) -> tuple[str | None, str | None]:
    """The same for bad input: (None, None) in English, where the technical texts say it best."""
    if lang == "en":
        return None, None
    message, remedy = TECHNICAL["bad_field" if field else "bad_input"]
    return message.format(field=field), remedy
