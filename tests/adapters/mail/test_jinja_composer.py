"""Each kind of letter says all that it knows, in text and in HTML, and takes nothing that somebody wrote for markup."""

from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kapda.adapters.mail import jinja_composer
from kapda.adapters.mail.jinja_composer import JinjaComposer
from kapda.domain.identity.user import DisplayName
from kapda.domain.notifications.letters import Letter
from kapda.domain.shared.mails import MailKind
from tests.adapters.mail.letters import facts_of, letters_of

NAME = DisplayName("Asha Rao")
# In an attribute, in a text, across both; what templates and filters would take for their own.
HOSTILE = """</title></td><script>x</script><img src=x onerror="y"> {{ 7 * 7 }} {% raw %} & " ' &lt;b&gt;"""
LETTERS = [(kind, letter) for kind in MailKind for letter in letters_of(kind)]


class Page(HTMLParser):
    """What a client makes of the HTML: its tags with their attributes' names, where they lead, its texts."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[str] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())


@pytest.mark.parametrize(("kind", "letter"), LETTERS, ids=lambda value: getattr(value, "value", ""))
def test_a_letter_says_all_that_it_knows_as_text_and_as_html(kind: MailKind, letter: Letter) -> None:
    content = JinjaComposer().compose(kind, NAME, letter)
    page = Page(content.html)
    shown = f"{page.text} {' '.join(page.links)}"
    for fact in facts_of(kind, letter):
        assert fact in content.text
        assert fact in shown
    greeting = "Dear Asha Rao," if kind.names_recipient else "Hello,"
    assert content.text.startswith(f"{greeting}\n\n")
    assert greeting in page.text
    assert content.subject in page.text
    for part in (content.text, content.html):
        assert "{{" not in part
        assert "{%" not in part
        assert "None" not in part


@pytest.mark.parametrize("kind", MailKind)
def test_what_somebody_wrote_is_text_in_the_html_and_never_markup(kind: MailKind) -> None:
    composer = JinjaComposer()
    for harmless, hostile in zip(letters_of(kind), letters_of(kind, HOSTILE, HOSTILE), strict=True):
        expected = Page(composer.compose(kind, NAME, harmless).html)
        content = composer.compose(kind, DisplayName(HOSTILE), hostile)
        page = Page(content.html)
        assert page.tags == expected.tags
        assert page.links == expected.links
        for fact in facts_of(kind, hostile):
            assert fact in content.text
            assert " ".join(fact.split()) in page.text or fact in page.links
        assert ("<script>" in content.text) == ("<script>" in page.text)


@pytest.mark.parametrize("kind", MailKind)
def test_an_address_stays_within_its_attribute(kind: MailKind) -> None:
    url = """https://kapda.test/x?a=1&b="><script>alert('x')</script>"""
    for harmless, hostile in zip(letters_of(kind), letters_of(kind, url=url), strict=True):
        page = Page(JinjaComposer().compose(kind, NAME, hostile).html)
        assert page.tags == Page(JinjaComposer().compose(kind, NAME, harmless).html).tags
        assert page.links == [url]


@pytest.mark.parametrize("kind", MailKind)
def test_reading_a_letter_fetches_nothing_and_runs_nothing(kind: MailKind) -> None:
    for letter in letters_of(kind):
        html = JinjaComposer().compose(kind, NAME, letter).html
        page = Page(html)
        assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img", "link", "iframe", "object", "form", "base"})
        names = {name for _, attributes in page.tags for name in attributes}
        assert not [name for name in names if name.startswith("on") or name in ("src", "background", "srcset")]
        assert "url(" not in html
        assert unescape(html).count("http") == len(page.links)


def test_every_template_belongs_to_a_kind_and_every_kind_has_both() -> None:
    folder = Path(jinja_composer.__file__).parent / "templates"
    shared = {"layout", "account"}
    for extension in ("txt", "html"):
        found = {file.stem for file in folder.glob(f"*.{extension}")}
        assert found == {kind.value for kind in MailKind} | shared
