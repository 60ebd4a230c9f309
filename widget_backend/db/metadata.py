"""Every table of the product in one metadata: imported by migrations and by nothing else."""

import widget_backend.access.models
import widget_backend.crm.models
import widget_backend.exports.models
import widget_backend.kpi.models
import widget_backend.oauth.models
import widget_backend.sync.models
import widget_backend.webhooks.models  # noqa: F401
from widget_backend.db.base import Base

metadata = Base.metadata
