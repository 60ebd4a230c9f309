"""Why the user who connected the account may not see all of it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("limited_view", sa.String(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("Restore the backup taken before the upgrade.")
