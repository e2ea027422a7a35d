"""certwright certificate-templates."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import click

from certwright.application.edit_certificate_templates import (
    SeenCertificateTemplate,
    add_certificate_template,
    edit_certificate_template,
    export_certificate_templates,
    list_certificate_templates,
    see_certificate_template,
)
from certwright.domain.counts import count_of
from certwright.wire.cli.console import Rows, show_result
from certwright.wire.cli.groups import CommandGroup
from certwright.wire.cli.opening import opened_installation
from certwright.wire.cli.operators import find_operator
from certwright.wire.cli.options import data_option, json_option
from certwright.wire.cli.templates import show_imported

set_option = click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    help="A key of [[certificate_templates]] in definition files, such as validity or key.bits; repeatable.",
)
name_argument = click.argument("name")


@click.group("certificate-templates", cls=CommandGroup)
def command() -> None:
    """List, show, add, change and export certificate templates, which profile templates issue.

    docs/reference/templates.schema.json has their keys, and so has what "certwright certificate-templates export" prints.
    """


@command.command("list")
@data_option
@json_option
def list_them(data: Path, *, as_json: bool) -> None:
    """List every certificate template that a profile template issues."""
    with opened_installation(data) as installation:
        found = list_certificate_templates(world=installation.world)
    rows = [
        (
            each.template.common_name,
            _name_key(each),
            count_of(each.template.validity.days, "day"),
            _join(each.profile_templates),
        )
        for each in found
    ]
    shown = Rows(("Certificate template", "Key", "Validity", "Profile templates"), rows)
    remark = f"{count_of(len(found), 'certificate template')}."
    show_result([_describe(each) for each in found], shown, as_json=as_json, remark=remark)


@command.command("show")
@name_argument
@data_option
@json_option
def show(name: str, data: Path, *, as_json: bool) -> None:
    """Show what the certificate template NAME puts into certificates, who enrolls it, and which profile templates issue it."""
    with opened_installation(data) as installation:
        seen = see_certificate_template(name, world=installation.world)
        definition = export_certificate_templates([name], explained=False, world=installation.world)
    (table,) = tomllib.loads(definition)["certificate_templates"]
    show_result(_describe(seen) | {"definition": table}, list(_list_lines(seen)), as_json=as_json)


@command.command("add")
@name_argument
@click.option("--to", "profile_template", required=True, help="The profile template that issues it, by name or GUID.")
@click.option("--enroll", "enrolling", multiple=True, help="An account or group that may enroll it; repeatable.")
@set_option
@data_option
@json_option
def add(
    name: str, profile_template: str, enrolling: tuple[str, ...], assignments: tuple[str, ...], data: Path, *, as_json: bool
) -> None:
    """Add the certificate template NAME to a profile template, behind those it issues already.

    What is not set has the default that docs/reference/templates.schema.json says; an object identifier is made.

    \b
    Examples:
      certwright certificate-templates add Mail --to "Software Certificate" --enroll Subscribers \\
          --set "validity=180 days" --set 'extended_key_usages=["1.3.6.1.5.5.7.3.4"]' --data data
    """
    rights = {"rights": {"enroll": enrolling}} if enrolling else {}
    with opened_installation(data) as installation:
        values = {**_assign({}, assignments), **rights}
        changed = add_certificate_template(name, profile_template, values, operator=find_operator(), world=installation.world)
    show_imported(changed, as_json=as_json)


@command.command("edit")
@name_argument
@set_option
@data_option
@json_option
def edit(name: str, assignments: tuple[str, ...], data: Path, *, as_json: bool) -> None:
    """Change keys of the certificate template NAME; what is not set stays.

    Each profile template that issues it gets a new version, which counts at once. Rights are changed by certwright rights.

    \b
    Examples:
      certwright certificate-templates edit SoftwareUser --set "validity=180 days" --set key.bits=3072 --data data
    """
    if not assignments:
        raise click.UsageError("Nothing to change: give --set KEY=VALUE.")
    with opened_installation(data) as installation:
        changed = edit_certificate_template(
            name, lambda table: _assign(table, assignments), operator=find_operator(), world=installation.world
        )
    show_imported(changed, as_json=as_json)


@command.command("export")
@click.argument("names", nargs=-1)
@data_option
@json_option
def export(names: tuple[str, ...], data: Path, *, as_json: bool) -> None:
    """Print NAMES, or all, as a file that can be changed and imported by "certwright templates import".

    Each key has a comment that says what it means. Rights on the certificate templates are in the file.

    \b
    Examples:
      certwright certificate-templates export SoftwareUser --data data > software-user.toml
    """
    with opened_installation(data) as installation:
        text = export_certificate_templates(names, world=installation.world)
    if as_json:
        show_result(tomllib.loads(text), [], as_json=True)
        return
    click.echo(text, nl=False)


def _assign(table: Mapping[str, object], assignments: Iterable[str]) -> dict[str, object]:
    """Return *table* with the assigned values; dots in a key lead into tables. Errors: click.UsageError."""
    changed = dict(table)
    for assignment in assignments:
        path, sign, value = assignment.partition("=")
        *around, key = path.strip().split(".")
        if not sign or not key or path.strip() == "common_name":
            raise click.UsageError(f"{assignment!r} is not KEY=VALUE with a key that can be set.")
        inner = changed
        for each in around:
            below = inner.get(each, {})
            inner[each] = inner = dict(below) if isinstance(below, Mapping) else {}
        inner[key] = _read_value(value.strip())
    return changed


def _read_value(text: str) -> object:
    """Return the TOML value that *text* is; text that is none stands for itself."""
    try:
        value = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    found = value["value"]
    return found if len(value) == 1 and isinstance(found, str | bool | int | list | dict) else text


def _describe(seen: SeenCertificateTemplate) -> dict[str, object]:
    return {
        "name": seen.template.common_name,
        "oid": seen.template.oid,
        "profile_templates": list(seen.profile_templates),
        "enroll": list(seen.enrolling),
    }


def _list_lines(seen: SeenCertificateTemplate) -> Iterator[str]:
    template = seen.template
    yield f"{template.common_name}, version {template.major_version}.{template.minor_version}"
    yield template.oid
    yield from ([template.display_name] if template.display_name else [])
    yield ""
    described = {
        "issued by": _join(seen.profile_templates),
        "enroll": _join(seen.enrolling) or "nobody",
        "key": f"{_name_key(seen)}, made by the {template.key.origin}{', archived' if template.key.archived else ''}",
        "validity": count_of(template.validity.days, "day"),
        "subject": template.subject.value,
        "alternative names": _join(each.value for each in template.alternative_names),
        "key usages": _join(sorted(each.value for each in template.key_usages)),
        "extended key usages": _join(template.extended_key_usages),
        "policies": _join(template.certificate_policies),
        "security identifier": "yes" if template.include_security_identifier else "no",
    }
    yield from (f"{name:24}{value}" for name, value in described.items() if value)


def _name_key(seen: SeenCertificateTemplate) -> str:
    return f"{seen.template.key.algorithm}, {seen.template.key.bits} bits"


def _join(names: Iterable[str]) -> str:
    return ", ".join(names)
