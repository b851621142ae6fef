"""import_sites and export_sites on a real database: all or nothing, and back again unchanged."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from monitor.csvfiles import parse
from monitor.importing import import_sites
from monitor.models import Group, Site
from monitor.slugpool import SlugPool
from scripts.unique_slugify import unique_slugify
from tests.monitor.factories import make_group, make_site

pytestmark = pytest.mark.django_db
HEADER = "group,name,url\n"


@pytest.fixture
def run(tmp_path, capsys):
    """Runs import_sites on a text; gives its two outputs."""

    def run(text: str | bytes, *options: str) -> tuple[str, str]:
        file = tmp_path / "sites.csv"
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        out, err = io.StringIO(), io.StringIO()
        call_command("import_sites", str(file), *options, stdout=out, stderr=err)
        return out.getvalue(), err.getvalue()

    return run


def test_good_rows_become_sites_and_the_last_line_counts_them(run) -> None:
    out, err = run(HEADER + "Web,Shop,http://shop.example/\nWeb,Blog,http://blog.example/\n")
    assert out == "import_sites: 2 sites added, 1 group added, 0 unchanged, 0 refused\n"
    assert err == ""
    assert list(Site.objects.values_list("group__slug", "slug", "enabled")) == [
        ("web", "blog", True),
        ("web", "shop", True),
    ]


def test_one_bad_row_and_nothing_is_written(run) -> None:
    with pytest.raises(CommandError, match=r"^import_sites: nothing was written: 1 refused; --skip-bad"):
        run(HEADER + "Web,Shop,http://shop.example/\nWeb,Blog,http:/x\n")
    assert not Group.objects.exists()


def test_skip_bad_writes_the_others_and_still_names_the_bad(run) -> None:
    out, err = run(HEADER + "Web,Shop,http://shop.example/\nWeb,Blog,http:/x\n", "--skip-bad")
    assert out == "import_sites: 1 site added, 1 group added, 0 unchanged, 1 refused\n"
    assert err == "line 3: url “http:/x”: The URL names no host.\n"


def test_a_dry_run_says_the_same_and_writes_nothing(run) -> None:
    out, _ = run(HEADER + "Web,Shop,http://shop.example/\n", "--dry-run")
    assert out.startswith("import_sites: dry run, nothing was written: 1 site added, 1 group added")
    assert not Group.objects.exists()


def test_again_changes_nothing(run) -> None:
    text = HEADER + "Web,Shop,http://shop.example/\n"
    run(text)
    assert run(text)[0] == "import_sites: 0 sites added, 0 groups added, 1 unchanged, 0 refused\n"


def test_an_equal_name_in_another_group_is_another_site_with_another_slug(run) -> None:
    make_site(group=make_group(name="Web"), name="Shop", slug="shop")
    run(HEADER + "Intra,Shop,http://intra.example/\n")
    assert Site.objects.get(group__name="Intra").slug == "shop-2"


@pytest.mark.parametrize(
    ("columns", "cells", "reason"),
    [
        ("", "http://other.example/", "name “Shop”: exists with another URL: http://shop.example/"),
        (",enabled", "http://shop.example/,no", "name “Shop”: exists with another enabled: True"),
        (
            ",internal",
            "http://shop.example/,yes",
            "internal “yes”: the group Web is not marked internal",
        ),
    ],
    ids=["url", "paused", "internal"],
)
def test_a_site_that_stands_there_otherwise_is_refused(run, columns: str, cells: str, reason: str) -> None:
    make_site(group=make_group(name="Web"), name="Shop", url="http://shop.example/")
    _, err = run(f"group,name,url{columns}\nWeb,Shop,{cells}\n", "--skip-bad")
    assert err.startswith("line 2: ")
    assert reason in err


def test_rows_of_one_group_agree_whether_it_is_internal() -> None:
    plan = import_sites(parse("group,name,url,internal\ng,a,http://a/,yes\ng,b,http://b/,no\n"))
    assert [refusal.line for refusal in plan.refusals] == [3]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "import_sites: the file is empty"),
        (b"group,name,url\n\xff", "import_sites: line 2: the file is not UTF-8"),
        (b"a,b\n1,2\n", "import_sites: line 1: unknown column 'a'"),
    ],
    ids=["empty", "not-utf-8", "no-header"],
)
def test_a_bad_file_is_one_line(run, data: bytes, message: str) -> None:
    with pytest.raises(CommandError) as failure:
        run(data)
    assert str(failure.value).startswith(message)


@pytest.mark.parametrize("command", ["import_sites", "export_sites"])
@pytest.mark.parametrize(
    ("name", "message"), [("missing/file.csv", "No such file or directory"), (".", "Is a directory")]
)
def test_a_path_that_cannot_be_opened_is_one_line(tmp_path, command: str, name: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command(command, str(tmp_path / name))


def test_a_dash_reads_standard_input(monkeypatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO((HEADER + "Web,Shop,http://shop.example/\n").encode()))
    monkeypatch.setattr("sys.stdin", stdin)
    call_command("import_sites", "-", stdout=io.StringIO())
    assert Site.objects.get().name == "Shop"


def test_what_was_exported_comes_back_as_it_was(tmp_path) -> None:
    make_site(group=make_group(name="=Web", internal=True), name="@shop", good_codes="200, 404")
    make_site(group=Group.objects.get(), name='a "b",\tc'.replace("\t", " "), interval_min=7, enabled=False)
    make_site(name="مرحبا 🚀", get_fallback=True)
    file = tmp_path / "out.csv"
    call_command("export_sites", str(file), stdout=io.StringIO())
    before = facts()
    Group.objects.all().delete()
    call_command("import_sites", str(file), stdout=io.StringIO())
    assert facts() == before
    assert import_sites(parse(file.read_text())).unchanged == 3


def test_export_writes_to_standard_output(capsys) -> None:
    make_site(group=make_group(name="Web"), name="Shop", url="http://shop.example/")
    out = io.StringIO()
    call_command("export_sites", stdout=out)
    assert out.getvalue().splitlines()[1] == "Web,Shop,http://shop.example/,,,no,yes,no"


def facts() -> list[tuple[object, ...]]:
    columns = ("group__name", "group__internal", "name", "url", "interval_min", "good_codes", "get_fallback")
    return list(Site.objects.order_by("name").values_list(*columns, "enabled"))


def test_ten_thousand_rows_of_one_name_take_few_queries(django_assert_max_num_queries) -> None:
    rows = "".join(f"Group {number},Web,http://web-{number}.example/\n" for number in range(10_000))
    with django_assert_max_num_queries(250):  # SQLite takes a hundred rows a statement
        plan = import_sites(parse(HEADER + rows))
    assert str(plan) == "10000 sites added, 10000 groups added, 0 unchanged, 0 refused"
    assert Site.objects.get(group__name="Group 9999").slug == "web-10000"


@pytest.mark.parametrize(
    "name", ["Shop", "shop", "日本", "-", "x" * 255, "x" * 80, "x" * 78 + " y", "a  b_", "2"]
)
def test_the_pool_gives_the_slugs_that_unique_slugify_gives(name: str) -> None:
    for _ in range(3):
        pooled, single = Site(name=name), Site(name=name)
        SlugPool(Site).assign(pooled)
        unique_slugify(single, name)
        assert pooled.slug == single.slug
        make_site(name=name, slug=single.slug)


def test_the_pool_never_gives_a_slug_twice() -> None:
    pool, rows = SlugPool(Group), [Group(name=name) for name in ("a", "a", "a 2", "a", "日本", "日本", "A")]
    for row in rows:
        pool.assign(row)
    assert [row.slug for row in rows] == ["a", "a-2", "a-2-2", "a-3", "-2", "-3", "a-4"]


def test_groups_that_differ_in_case_alone_are_refused() -> None:
    make_group(name="Shop")
    rows = "shop,A,http://a.example/\nShop,B,http://b.example/\nBlog,C,http://c.example/\nBLOG,D,http://d.example/\n"
    plan = import_sites(parse(HEADER + rows), skip_bad=True)
    assert [str(refusal) for refusal in plan.refusals] == [
        "line 2: group “shop”: there is a group Shop, which differs in upper and lower case alone",
        "line 5: group “BLOG”: there is a group Blog, which differs in upper and lower case alone",
    ]
    assert set(Site.objects.values_list("group__name", "name")) == {("Shop", "B"), ("Blog", "C")}


def test_groups_that_differ_in_case_and_are_there_already_are_taken_as_they_are() -> None:
    for name in ("Shop", "shop"):
        make_group(name=name)
    plan = import_sites(parse(HEADER + "shop,A,http://a.example/\nShop,A,http://a.example/\n"))
    assert (len(plan.sites), plan.refusals) == (2, [])
