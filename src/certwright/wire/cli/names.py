"""What people and templates are called whose identifiers are in what a command shows."""

from certwright.bootstrap import Installation
from certwright.domain.identities import UserId
from certwright.domain.profile_templates import ProfileTemplateId
from certwright.domain.program import THE_PROGRAM


def list_people_names(installation: Installation) -> dict[UserId, str]:
    """Return ``DOMAIN\\account`` of each account by its identifier, and the name of the program that acts by itself."""
    with installation.world.store.reading() as session:
        users = (*session.directory.list_users(), THE_PROGRAM.user)
    return {each.id: each.nt4_name for each in users}


def list_template_names(installation: Installation) -> dict[ProfileTemplateId, str]:
    """Return the name of each profile template, as its newest version has it."""
    with installation.world.store.reading() as session:
        return {each.id: each.name for each in session.templates.list_newest()}
