"""Random descriptions in Jira's notation, as people and tools write it, in which each word stands once."""

from __future__ import annotations

import random
from collections.abc import Callable

_INLINES = (
    "{w}", "{w}", "{w} {w}", "*{w}*", "_{w} {w}_", "-{w}-", "+{w}+", "^{w}^", "~{w}~", "??{w}??", "{{{{{w}}}}}",
    "{{*}}{w}{{*}}", "*_{w}_*", "[{w}|https://x.example/a?b=c_d]", "[{w}|https://x.example/a|tip]",
    "[https://x.example/a(b)]", "[~ann]", "[^file one.zip]", "!a.png!", "!a.png|thumbnail!",
    "!https://x.example/b.png|width=300!", "(x)", "(/)", ":)", ";)", "(*r) {w}", ":D",
    "{{color:red}}{w} {w}{{color}}", "{{color:#00ff00}}*{w}*{{color}}", "{{foo:bar|a=b}}{w}{{foo}}", "{{foo}}",
    "{{anchor:here}}{w}", "\\*{w}\\*", "\\{{{w}\\}}", "\\[{w}\\]", "C:\\temp\\{w}", "\\\\srv\\share", "{w} -- {w}",
    "{w} --- {w}", "{w}\\\\ {w}", "{w}\\\\\n{w}", "https://x.example/a_b", "mailto:a@x.example", "&amp; {w} &#42;",
    "{w} & {w}", "5 * {w}", "a{{*}}{w}{{*}}b", "[{w}]", "[{w}|ABC-1]", "[#{w}]", "{w}  {w}", "<{w}>", "`{w}`",
    "{{status:colour=red|title={w}}}", "{w}@x.example", "{{{{C:\\x}}}} {w}", "({w})", '"{w}"',
    "{w}: {w}; {w}, {w}. {w}!",
)  # fmt: skip


class SourceMaker:
    """Makes sources, the same ones for a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._words = 0

    def source(self) -> str:
        """Return a whole description."""
        pick = self._random
        kinds: tuple[Callable[[], str], ...] = (
            self._paragraph, self._paragraph, self._paragraph, self._heading, self._list, self._list, self._table,
            self._quote, self._panel, self._code, self._rule, self._colored, self._unknown,
        )  # fmt: skip
        blocks = [pick.choice(kinds)() for _ in range(pick.randint(1, 5))]
        gaps = [pick.choice(("\n\n", "\n\n", "\n\n\n", "\n \n", "\n\n \n")) for _ in blocks]
        text = "".join(map("".join, zip(blocks, gaps, strict=True))).rstrip()
        return pick.choice(("", "", "\n", "  ")) + text + pick.choice(("", "", "\n", "\n\n"))

    def word(self) -> str:
        """Return a word that was not used before."""
        self._words += 1
        return f"word{self._words}x"

    def line(self) -> str:
        """Return what may stand in one line."""
        pick = self._random
        count = pick.randint(1, 5)
        parts = [pick.choice(_INLINES) for _ in range(count)]
        text = self.word() + " " + " ".join(parts)
        while "{w}" in text:
            text = text.replace("{w}", self.word(), 1)
        return text.replace("{{", "{").replace("}}", "}")

    def _short(self) -> str:
        return self.line().replace("\n", " ")

    def _paragraph(self) -> str:
        return "\n".join(self.line() for _ in range(self._random.randint(1, 3)))

    def _heading(self) -> str:
        pick = self._random
        below = pick.choice(("", "", f"\n{self._paragraph()}", f"\nh3. {self._short()}"))
        return f"h{pick.randint(1, 6)}.{pick.choice((' ', '  ', ''))}{self._short()}{below}"

    def _list(self) -> str:
        pick = self._random
        lines: list[str] = [self._paragraph()] if pick.random() < 0.2 else []
        signs = pick.choice(("*", "#", "-"))
        for _ in range(pick.randint(1, 6)):
            lines.append(f"{pick.choice(('', '', ' '))}{signs}{pick.choice((' ', '  '))}{self._short()}")
            if pick.random() < 0.15:
                lines.append(self._short())
            if pick.random() < 0.1:
                lines.append(f"{{code}}\n{self.word()} = 1\n{{code}}")
            if pick.random() < 0.4 and len(signs) < 3:
                signs = pick.choice((signs + "*", signs + "#", "*" * (len(signs) + 1), "#" * (len(signs) + 1)))
            elif pick.random() < 0.5:
                signs = signs[:-1] or signs
        return "\n".join(lines)

    def _table(self) -> str:
        pick = self._random
        width = pick.randint(1, 3)
        head = "||" + "||".join(self._cell() for _ in range(width)) + pick.choice(("||", "||", ""))
        rows = [
            "|" + "|".join(self._cell(rich=True) for _ in range(width)) + pick.choice(("|", "|", "| ", ""))
            for _ in range(pick.randint(1, 3))
        ]
        return "\n".join([head, *rows][pick.randint(0, 1) :])

    def _cell(self, *, rich: bool = False) -> str:
        pick = self._random
        text = self._short()
        if rich and pick.random() < 0.2:
            text = f" * {self._short()}\n* {self._short()}"
        elif rich and pick.random() < 0.15:
            text = f" {{code}}\n{self.word()}\n{{code}} "
        elif pick.random() < 0.6:
            text = f" {text} "
        return text

    def _quote(self) -> str:
        pick = self._random
        if pick.random() < 0.3:
            return f"bq. {self._short()}"
        inner = pick.choice((self._paragraph, self._list))()
        return pick.choice(("{{quote}}{}{{quote}}", "{{quote}}\n{}\n{{quote}}", "{{quote}}\n\n{}\n\n{{quote}}")).format(
            inner
        )

    def _panel(self) -> str:
        options = self._random.choice(
            (
                "",
                ":title=Plan",
                ":title=Plan|borderStyle=dashed",
                ":bgColor=#deebff",
                ":borderColor=#ccc|bgColor=#FFFFCE",
            )
        )
        inner = "\n\n".join(self._random.choice((self._paragraph, self._list))() for _ in range(2))
        return f"{{panel{options}}}\n{inner}\n{{panel}}"

    def _code(self) -> str:
        pick = self._random
        word = self.word()
        return pick.choice(
            (
                f"{{code:java}}\nint {word} = 1; // (x) *b* |\n{{code}}",
                f"{{code:title={word}.xml|borderStyle=solid}}\n<a>{self.word()}</a>\n{{code}}",
                f"{{noformat}}{word}{{noformat}}",
                f"{{noformat:nopanel=true}}\n{word}\n\n  {self.word()}\n{{noformat}}",
            )
        )

    def _rule(self) -> str:
        return self._random.choice(("----", f"{self._paragraph()}\n----", f"----\n{self._paragraph()}"))

    def _colored(self) -> str:
        return f"{{color:#ff5630}}{self.word()} {self.word()}{{color}}\n{self.line()}"

    def _unknown(self) -> str:
        word = self.word()
        return self._random.choice(
            (
                f"{{expand:title={word}}}\n{self._paragraph()}\n{{expand}}",
                f"{{foo:bar=1|baz}}\n\n{self._paragraph()}\n\n{{foo}}",
                f"{{toc}}\n{{jql:project = {word}|columns=key,summary}}",
            )
        )
