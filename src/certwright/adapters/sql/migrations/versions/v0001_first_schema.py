"""The first schema."""

import sqlalchemy as sa
from alembic import op

from certwright.adapters.sql.columns import PlainText, Serial, UtcTime

revision = "0001"
down_revision = None

counter_type = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make all tables, and the first revision of an empty directory."""
    _create_people()
    _create_rights()
    _create_templates_and_profiles()
    _create_requests()
    _create_certificates()
    _create_history()
    _create_keys()


def _create_people() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sid", PlainText(), nullable=False),
        sa.Column("domain", PlainText(), nullable=False),
        sa.Column("account_name", PlainText(), nullable=False),
        sa.Column("principal_name", PlainText(), nullable=False),
        sa.Column("display_name", PlainText(), nullable=False),
        sa.Column("distinguished_name", PlainText(), nullable=False),
        sa.Column("email", PlainText(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("domain_key", PlainText(), nullable=False),
        sa.Column("account_key", PlainText(), nullable=False),
        sa.Column("principal_key", PlainText(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("account_key", "domain_key", name=op.f("uq_users_account_key_domain_key")),
        sa.UniqueConstraint("sid", name=op.f("uq_users_sid")),
    )
    op.create_index(
        "uq_users_principal_key",
        "users",
        ["principal_key"],
        unique=True,
        sqlite_where=sa.text("principal_key <> ''"),
        postgresql_where=sa.text("principal_key <> ''"),
    )
    op.create_table(
        "user_groups",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sid", PlainText(), nullable=False),
        sa.Column("name", PlainText(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_groups")),
        sa.UniqueConstraint("sid", name=op.f("uq_user_groups_sid")),
    )
    op.create_table(
        "group_members",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("member_sid", PlainText(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["user_groups.id"], name=op.f("fk_group_members_group_id")),
        sa.PrimaryKeyConstraint("group_id", "member_sid", name=op.f("pk_group_members")),
    )
    op.create_index("ix_group_members_member_sid", "group_members", ["member_sid"], unique=False)


def _create_rights() -> None:
    op.create_table(
        "grants",
        sa.Column("object_kind", sa.String(length=30), nullable=False),
        sa.Column("object_name", PlainText(), nullable=False),
        sa.Column("access_right", sa.String(length=30), nullable=False),
        sa.Column("trustee", PlainText(), nullable=False),
        sa.CheckConstraint(
            "access_right IN ('read', 'enroll', 'enrollment-agent', 'request-enroll', 'request-renew', 'request-recover', "
            "'request-revoke', 'request-unblock', 'administer', 'audit', 'operate-ca')",
            name=op.f("ck_grants_access_right"),
        ),
        sa.CheckConstraint(
            "object_kind IN ('service', 'profile-template', 'certificate-template', 'principal')",
            name=op.f("ck_grants_object_kind"),
        ),
        sa.PrimaryKeyConstraint("object_kind", "object_name", "access_right", "trustee", name=op.f("pk_grants")),
    )
    op.create_table(
        "password_hashes",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("password_hash", PlainText(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_password_hashes_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_password_hashes")),
    )
    revision_table = op.create_table(
        "directory_revision",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_directory_revision_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directory_revision")),
    )
    op.bulk_insert(revision_table, [{"id": 1, "revision": 1}])


def _create_templates_and_profiles() -> None:
    op.create_table(
        "profile_templates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", PlainText(), nullable=False),
        sa.Column("document", PlainText(), nullable=False),
        sa.Column("created", UtcTime(), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_profile_templates")),
    )
    op.create_table(
        "profiles",
        sa.Column("number", counter_type, sa.Identity(always=False), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("flags", sa.SmallInteger(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("primary_id", sa.Uuid(), nullable=True),
        sa.Column("comment", PlainText(), nullable=False),
        sa.CheckConstraint("(flags & 32704) = 0", name=op.f("ck_profiles_flags")),
        sa.CheckConstraint("status IN (0, 2, 3, 4, 6)", name=op.f("ck_profiles_status")),
        sa.ForeignKeyConstraint(
            ["template_id", "template_version"],
            ["profile_templates.id", "profile_templates.version"],
            name=op.f("fk_profiles_template_id_template_version"),
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_profiles")),
        sa.UniqueConstraint("id", name=op.f("uq_profiles_id")),
    )
    op.create_index("ix_profiles_owner_id", "profiles", ["owner_id", "number"], unique=False)


def _create_requests() -> None:
    op.create_table(
        "requests",
        sa.Column("number", counter_type, sa.Identity(always=False), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.SmallInteger(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("flags", sa.SmallInteger(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("originator_id", sa.Uuid(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("submitted", UtcTime(), nullable=False),
        sa.Column("completed", UtcTime(), nullable=True),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("comment", PlainText(), nullable=False),
        sa.Column("data", PlainText(), nullable=False),
        sa.Column("data_flags", sa.SmallInteger(), nullable=False),
        sa.Column("profile_id", sa.Uuid(), nullable=True),
        sa.Column("old_profile_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(data_flags & 32719) = 0", name=op.f("ck_requests_data_flags")),
        sa.CheckConstraint("(flags & 32764) = 0", name=op.f("ck_requests_flags")),
        sa.CheckConstraint("status IN (3, 4, 8, 9, 16, 17, 18)", name=op.f("ck_requests_status")),
        sa.CheckConstraint("type IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)", name=op.f("ck_requests_type")),
        sa.ForeignKeyConstraint(["old_profile_id"], ["profiles.id"], name=op.f("fk_requests_old_profile_id")),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name=op.f("fk_requests_profile_id")),
        sa.ForeignKeyConstraint(
            ["template_id", "template_version"],
            ["profile_templates.id", "profile_templates.version"],
            name=op.f("fk_requests_template_id_template_version"),
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_requests")),
        sa.UniqueConstraint("id", name=op.f("uq_requests_id")),
    )
    op.create_index("ix_requests_originator_id", "requests", ["originator_id", "number"], unique=False)
    op.create_index("ix_requests_status", "requests", ["status", "number"], unique=False)
    op.create_index("ix_requests_target_id", "requests", ["target_id", "number"], unique=False)


def _create_certificates() -> None:
    op.create_table(
        "certificates",
        sa.Column("number", counter_type, sa.Identity(always=False), nullable=False),
        sa.Column("serial", Serial(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("requester_name", PlainText(), nullable=False),
        sa.Column("template_common_name", PlainText(), nullable=False),
        sa.Column("authority_name", PlainText(), nullable=False),
        sa.Column("not_before", UtcTime(), nullable=False),
        sa.Column("not_after", UtcTime(), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(), nullable=False),
        sa.Column("key_digest", sa.LargeBinary(), nullable=False),
        sa.Column("to_be_signed", sa.LargeBinary(), nullable=True),
        sa.Column("encoded", sa.LargeBinary(), nullable=True),
        sa.Column("thumbprint", sa.String(length=64), nullable=False),
        sa.Column("revoked_at", UtcTime(), nullable=True),
        sa.Column("revocation_reason", sa.SmallInteger(), nullable=True),
        sa.Column("is_key_history", sa.Boolean(), nullable=False),
        sa.Column("is_archived", sa.Boolean(), nullable=False),
        sa.CheckConstraint("(revoked_at IS NULL) = (revocation_reason IS NULL)", name=op.f("ck_certificates_revocation")),
        sa.CheckConstraint("(to_be_signed IS NULL) <> (encoded IS NULL)", name=op.f("ck_certificates_form")),
        sa.CheckConstraint("revocation_reason IN (0, 1, 2, 3, 4, 5, 6, 8)", name=op.f("ck_certificates_revocation_reason")),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name=op.f("fk_certificates_profile_id")),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name=op.f("fk_certificates_request_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_certificates")),
        sa.UniqueConstraint("request_id", "place", name=op.f("uq_certificates_request_id_place")),
        sa.UniqueConstraint("serial", name=op.f("uq_certificates_serial")),
    )
    op.create_index("ix_certificates_profile_id", "certificates", ["profile_id", "number"], unique=False)
    op.create_index("ix_certificates_subject_id", "certificates", ["subject_id", "number"], unique=False)
    op.create_table(
        "certified_keys",
        sa.Column("key_digest", sa.LargeBinary(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("key_digest", name=op.f("pk_certified_keys")),
        sqlite_with_rowid=False,
    )


def _create_history() -> None:
    op.create_table(
        "events",
        sa.Column("sequence", counter_type, sa.Identity(always=False), nullable=False),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("actor", PlainText(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("source", PlainText(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("comment", PlainText(), nullable=False),
        sa.Column("details", PlainText(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_request_id", "events", ["request_id", "sequence"], unique=False)
    op.create_table(
        "seals",
        sa.Column("number", counter_type, autoincrement=False, nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.Column("digests", sa.LargeBinary(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_seals")),
        sa.UniqueConstraint("last_sequence", name=op.f("uq_seals_last_sequence")),
    )


def _create_keys() -> None:
    op.create_table(
        "keys",
        sa.Column("name", PlainText(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_keys")),
    )
    op.create_table(
        "authorities",
        sa.Column("name", PlainText(), nullable=False),
        sa.Column("config_name", PlainText(), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("key_name", PlainText(), nullable=False),
        sa.Column("issuer_name", PlainText(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_authorities")),
    )
