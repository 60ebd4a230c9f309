"""What a pipeline is for, guessed from its name until a person confirms it."""

import re
from enum import StrEnum


class PipelineRole(StrEnum):
    """``sales`` and ``pre_sale`` count in totals; only a won lead of a ``sales`` pipeline is a sale."""

    SALES = "sales"
    PRE_SALE = "pre_sale"
    POST_SALE = "post_sale"
    SERVICE = "service"
    IGNORED = "ignored"


_IGNORED = re.compile(r"ваканси|подбор|кадр|рекрут|recruit|архив|\b(?:hr|тест|test)\b")
_POST_SALE = (
    "производств",
    "исполнен",
    "выполнен",
    "отгрузк",
    "доставк",
    "логистик",
    "монтаж",
    "реализаци",
    "сопровожд",
    "post-sale",
    "postsale",
    "fulfil",
    "production",
    "delivery",
    "onboarding",
    "внедрен",
)
_SERVICE = ("сервис", "поддержк", "гаранти", "рекламац", "жалоб", "service", "support", "claims")
_PRE_SALE = (
    "квалификац",
    "прозвон",
    "лидоген",
    "sdr",
    "pre-sale",
    "presale",
    "пресейл",
    "первичн",
    "qualification",
    "prospecting",
)


def guess_pipeline_role(name: str) -> PipelineRole:
    """The likely role of a pipeline with this name; ``sales`` when nothing in it says otherwise."""
    folded = name.casefold()
    if _IGNORED.search(folded):
        return PipelineRole.IGNORED
    for role, parts in (
        (PipelineRole.POST_SALE, _POST_SALE),
        (PipelineRole.SERVICE, _SERVICE),
        (PipelineRole.PRE_SALE, _PRE_SALE),
    ):
        if any(part in folded for part in parts):
            return role
    return PipelineRole.SALES
