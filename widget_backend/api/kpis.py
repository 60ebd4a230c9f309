"""KPIs and the records behind them, limited to what the viewer may see in the CRM."""

from typing import Any

from flask_openapi3 import APIBlueprint, Tag

from widget_backend.api.auth import viewer_session
from widget_backend.api.schemas import ERRORS, KpiAnswer, KpiQuery, MetricPath, RowsAnswer, RowsQuery, filters
from widget_backend.reports import metric_rows, report

api = APIBlueprint(
    "kpis",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="KPIs")],
    abp_security=[{"widget": []}],
    abp_responses=ERRORS,
)


@api.get("/kpis", responses={200: KpiAnswer})
def kpis(query: KpiQuery) -> dict[str, Any]:
    """Metrics over local days, by dimension, with the comparable period beside."""
    with viewer_session() as (session, viewer):
        return report(
            session,
            viewer.account,
            start_on=query.start,
            end_on=query.end,
            metrics=query.metric,
            by=query.by,
            bucket=query.bucket,
            compare=query.compare,
            where=filters(query.where),
            scope=viewer.scope,
        )


@api.get("/kpis/<string:metric_id>/rows", responses={200: RowsAnswer})
def rows(path: MetricPath, query: RowsQuery) -> dict[str, Any]:
    """The leads or calls a number is made of, page by page."""
    with viewer_session() as (session, viewer):
        return metric_rows(
            session,
            viewer.account,
            path.metric_id,
            start_on=query.start,
            end_on=query.end,
            where=filters(query.where),
            scope=viewer.scope,
            cursor=query.cursor,
            limit=query.limit,
        )
