"""From profile templates to the text of a file that `parse_templates` reads back as the same templates."""

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import timedelta
from enum import Enum, IntEnum
from typing import Any

from certwright.domain.errors import DefinitionInvalid, check_none_broken
from certwright.domain.grants import Grants, ObjectKind, Right
from certwright.domain.identities import EVERYONE, Sid
from certwright.domain.policies import Policy
from certwright.domain.profile_templates import CertificateTemplate, KeySpecification, ProfileTemplate
from certwright.domain.public_keys import KeyAlgorithm
from certwright.domain.request_types import RequestType
from certwright.formats.definition_explanations import EXPLANATIONS, KINDS
from certwright.formats.quantities import encode_duration

_PARTIES = frozenset({"initiators", "approvers", "enrollment_agents"})
_HEAD = """\
# Templates of Certwright. Change them here, then: certwright templates import FILE --data DIR
#
# What is left out is as docs/reference/templates.schema.json says; who is named is looked up in the directory of the
# installation. Rights that are stated take the place of those on the same template; without them, those there are stay.
"""


def encode_templates(
    templates: Iterable[ProfileTemplate], names: Mapping[Sid, str], grants: Grants | None = None, *, explained: bool = True
) -> str:
    """Return TOML with *templates* and their certificate templates, always the same for the same templates.

    Shape: what is the default is left out, and so are the versions, which the store counts. Rights are stated where *grants*
    are given. Whoever *names* does not name is written as a SID. *explained* adds a comment to each key.
    Errors: DefinitionInvalid when two certificate templates of one name differ. Source: the format is ours.
    """
    return "\n".join(_Encoder(names, grants, explained=explained).list_lines(tuple(templates))) + "\n"


def encode_certificate_templates(
    templates: Iterable[CertificateTemplate], names: Mapping[Sid, str], grants: Grants | None = None, *, explained: bool = True
) -> str:
    """Return TOML with *templates* alone. Shape: as `encode_templates`. Errors: DefinitionInvalid, as there."""
    return "\n".join(_Encoder(names, grants, explained=explained).list_certificate_templates(tuple(templates))) + "\n"


def tabulate_certificate_template(template: CertificateTemplate) -> dict[str, Any]:
    """Return the table of *template* in definition files, without rights: what is the default is left out."""
    table: dict[str, Any] = tomllib.loads(encode_certificate_templates([template], {}, explained=False))
    return dict(table["certificate_templates"][0])


class _Encoder:
    def __init__(self, names: Mapping[Sid, str], grants: Grants | None, *, explained: bool) -> None:
        self._names = {**names, EVERYONE: "everyone"}
        self._grants = grants
        self._explained = explained

    def list_lines(self, templates: tuple[ProfileTemplate, ...]) -> list[str]:
        certificates = tuple(dict.fromkeys(each for template in templates for each in template.certificate_templates))
        lines = [*self.list_certificate_templates(certificates), ""]
        for template in templates:
            lines += [*self._list_template_lines(template), ""]
        return lines[:-1]

    def list_certificate_templates(self, templates: tuple[CertificateTemplate, ...]) -> list[str]:
        _check_names(templates)
        lines = [_HEAD] if self._explained else []
        for each in templates:
            lines += ["[[certificate_templates]]", *self._list_certificate_lines(each), ""]
        return lines[:-1]

    def _list_template_lines(self, template: ProfileTemplate) -> list[str]:
        lines = [f"# Version {template.version}."] if self._explained else []
        lines += ["[[profile_templates]]", *self._list_profile_lines(template)]
        for kind, policy in sorted(template.policies.items()):
            name = _spell(kind)
            lines += ["", *([f"# {KINDS[name]}"] if self._explained else [])]
            lines += [f"[profile_templates.policies.{name}]", *self._list_policy_lines(policy, kind)]
        if template.smartcard is not None:
            lines += ["", "[profile_templates.smartcard]"]
            lines += self._explain("SmartcardTable", _list_changes(template.smartcard))
        return lines

    def _list_certificate_lines(self, template: CertificateTemplate) -> Iterator[str]:
        changes = _list_changes(template)
        if template.key.algorithm is not KeyAlgorithm.RSA:
            # A file that leaves the size out means the algorithm's smallest, not the default of the domain.
            changes["key"] = {**_list_changes(template.key, KeySpecification()), "bits": template.key.bits}
        rights = self._list_rights(ObjectKind.CERTIFICATE_TEMPLATE, template.common_name)
        return self._explain("CertificateTemplateTable", changes | rights)

    def _list_profile_lines(self, template: ProfileTemplate) -> Iterator[str]:
        changes = _list_changes(template)
        for elsewhere in ("version", "policies", "smartcard"):
            changes.pop(elsewhere, None)
        changes["id"] = str(template.id)
        changes["certificate_templates"] = tuple(each.common_name for each in template.certificate_templates)
        changes |= {} if template.policies else {"policies": {}}
        changes |= self._list_rights(ObjectKind.PROFILE_TEMPLATE, str(template.id))
        return self._explain("ProfileTemplateTable", changes)

    def _list_policy_lines(self, policy: Policy, kind: RequestType) -> Iterator[str]:
        changes = _list_changes(policy)
        if kind is not RequestType.RECOVER:
            # Templates that were stored before it was refused elsewhere may still have it; it never meant anything new there.
            changes.pop("reissue_archived_certificates", None)
        for party in _PARTIES & changes.keys():
            changes[party] = self._name(changes[party])
        return self._explain("PolicyTable", changes)

    def _list_rights(self, kind: ObjectKind, name: str) -> dict[str, Any]:
        if self._grants is None:
            return {}
        held = {right: self._name(self._grants.find_trustees(kind, name, right)) for right in Right}
        return {"rights": {right.value: trustees for right, trustees in held.items() if trustees}}

    def _name(self, sids: Iterable[Sid]) -> tuple[str, ...]:
        return tuple(sorted(self._names.get(sid, sid) for sid in sids))

    def _explain(self, table: str, changes: Mapping[str, Any]) -> Iterator[str]:
        """Yield the lines of one table."""
        for key, value in changes.items():
            first, *others = _list_lines_of(key, value)
            yield f"{first}  # {EXPLANATIONS[table][key]}" if self._explained else first
            yield from others


def _check_names(templates: tuple[CertificateTemplate, ...]) -> None:
    """Raise when one name would mean two things in the file."""
    names = [each.common_name for each in templates]
    detail = "not all of these profile templates have it in the same version: export them one by one"
    check_none_broken(
        [DefinitionInvalid(f"certificate_templates.{name}", detail) for name in dict.fromkeys(names) if names.count(name) > 1]
    )


def _list_changes(value: Any, base: Any = None) -> dict[str, Any]:
    """Return the fields of *value* that differ from *base*, or from their defaults; those without a default always."""
    found: dict[str, Any] = {}
    for each in fields(value):
        own, default = getattr(value, each.name), _find_default(each) if base is None else getattr(base, each.name)
        if own != default:
            is_nested = is_dataclass(own) and default is not MISSING and default is not None
            found[each.name] = _list_changes(own, default) if is_nested else own
    return found


def _find_default(described: Field[Any]) -> Any:
    return described.default if described.default_factory is MISSING else described.default_factory()


def _list_lines_of(key: str, value: Any) -> Iterator[str]:
    """Yield one line, or for a list of tables one for each of them, where a comment has room."""
    if isinstance(value, tuple) and value and is_dataclass(value[0]):
        yield f"{key} = ["
        yield from (f"  {encode_value(each)}," for each in value)
        yield "]"
    else:
        yield f"{key} = {encode_value(value)}"


def encode_value(value: Any) -> str:
    """Return *value* as TOML in one line. Shape: of a dataclass, what differs from its defaults."""
    if isinstance(value, frozenset):
        return f"[{', '.join(sorted(map(encode_value, value)))}]"
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(encode_value, value))}]"
    if is_dataclass(value):
        return encode_value(_list_changes(value))
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {encode_value(each)}" for key, each in value.items()) + " }" if value else "{}"
    return _encode_simple(value)


def _encode_simple(value: Any) -> str:
    match value:
        case IntEnum():
            return _quote(_spell(value))
        case Enum():
            return _quote(str(value.value))
        case timedelta():
            return _quote(encode_duration(value))
        case str():
            return _quote(value)
    # What is left, a number or a boolean, is written in TOML as in JSON.
    return json.dumps(value)


def _spell(member: IntEnum) -> str:
    return member.name.lower().replace("_", "-")


def _quote(text: str) -> str:
    """Return a basic string of TOML: JSON's escapes, and one more character that has to be escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
