"""How each list last compared with the mirror, and a nightly job that compares them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reconciliations",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("listed", sa.BigInteger(), nullable=True),
        sa.Column("kept", sa.BigInteger(), nullable=True),
        sa.Column("repaired", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("held_back", sa.String(), nullable=True),
        sa.Column("position", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.account_id"],
            name=op.f("fk_reconciliations_account_id_accounts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "stream", name=op.f("pk_reconciliations")),
    )
    op.execute("ALTER TABLE reconciliations ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE reconciliations FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY account_rows ON reconciliations"
        " USING (account_id = NULLIF(current_setting('app.account_id', true), '')::bigint)"
    )
    # Accounts that are there already get the job too; its first run is tonight's.
    op.execute(
        "INSERT INTO schedule (account_id, job, due_at, every_s, requests, failures)"
        " SELECT account_id, 'sync.reconcile', now(), 86400, 0, 0 FROM accounts"
        " WHERE state <> 'disconnected'"
    )


def downgrade() -> None:
    raise NotImplementedError("Restore the backup taken before the upgrade.")
