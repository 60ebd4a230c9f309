"""What people read when something goes wrong: what happened, and what to do. Russian and English."""

# code → language → (message, remedy)
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
    "not_connected": {
        "ru": ("Аккаунт не подключён к отчётам.", "Администратору: установите интеграцию ещё раз."),
        "en": ("The account is not connected.", "Administrator: install the integration again."),
    },
    "not_found": {
        "ru": ("Не найдено.", "Проверьте адрес."),
        "en": ("Not found.", "Check the address."),
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


def error_text(code: str, lang: str) -> tuple[str | None, str | None]:
    """Message and remedy for people; (None, None) for codes that only programs meet."""
    texts = ERRORS.get(code)
    return texts[lang] if texts else (None, None)
