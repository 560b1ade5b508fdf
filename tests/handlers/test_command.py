"""What a person's words mean, as a table; quotes and code are never orders."""

import pytest

from bot.handlers.orders import branch_named
from bot.proposals.command import Command, FreeText, Order, Unknown, read_command

NAMES = ("pipewright", "project_7_bot_0a1b")


def read(text: str) -> Order | None:
    return read_command(text, NAMES)


def command(name: str, rest: str = "") -> Command:
    return Command(name=name, rest=rest)  # type: ignore[arg-type]


COMMANDS = {
    # where the mention stands
    "@pipewright help": command("help"),
    "Hello @pipewright help": command("help"),
    "Hello.\n\nAnd then:\n@pipewright status": command("status"),
    "(@pipewright status)": command("status"),
    "**@pipewright** status": command("status"),
    "@PipeWright STATUS": command("status"),
    "@pipewright: status": command("status"),
    "@pipewright, status please": command("status", "please"),
    "@pipewright status.": command("status"),
    "@pipewright status!": command("status"),
    "@pipewright /status": command("status"),
    "@project_7_bot_0a1b status": command("status"),
    "@pipewright\nstatus": command("status"),
    " @pipewright\tstatus\tmain": command("status", "main"),
    "status @pipewright": command("status"),
    "approve, @pipewright": command("approve"),
    "Здравствуйте, @pipewright help": command("help"),
    "你好 @pipewright help": command("help"),
    "请@pipewright status": command("status"),
    "@pipewright，status main。": command("status", "main"),
    "@pipewright：approve！": command("approve"),
    "@pipewright، status": command("status"),
    "\u2066@pipewright\u2069 \u200fstatus\u200f main\u200f": command("status", "main"),
    "@pipewright — status": command("status"),
    "@pipewright - approve": command("approve"),
    "@pipewright → status main": command("status", "main"),
    "- @pipewright -> undo": command("undo"),
    # an empty mention asks for help
    "@pipewright": command("help"),
    "@pipewright!": command("help"),
    "@pipewright ???": command("help"),
    "hey @pipewright": command("help"),
    "@pipewright please": command("help"),
    # the words of each command
    "@pipewright generate": command("generate"),
    "@pipewright generate with python 3.12, without docker": command("generate", "with python 3.12, without docker"),
    "@pipewright generate\nwith postgres\nand redis": command("generate", "with postgres\nand redis"),
    "@pipewright regenerate without docker": command("generate", "without docker"),
    "@pipewright please generate": command("generate"),
    "@pipewright could you please generate": command("generate"),
    "@pipewright status main": command("status", "main"),
    "@pipewright status of feature/x": command("status", "of feature/x"),
    "@pipewright status for main": command("status", "for main"),
    "@pipewright status main, please": command("status", "main, please"),
    "@pipewright approve": command("approve"),
    "@pipewright please approve": command("approve"),
    "@pipewright approve please": command("approve", "please"),
    "@pipewright approve it": command("approve", "it"),
    "@pipewright approve 0a1b2c3": command("approve", "0a1b2c3"),
    "@pipewright approve " + "a" * 40: command("approve", "a" * 40),
    "@pipewright approve " + "A" * 64: command("approve", "A" * 64),
    "@pipewright /approve": command("approve"),
    "@pipewright merge": command("approve"),
    "@pipewright lgtm": command("approve"),
    "@pipewright LGTM!": command("approve"),
    "@pipewright reject": command("reject"),
    "@pipewright close": command("reject"),
    "@pipewright retry": command("retry"),
    "@pipewright undo": command("undo"),
    "@pipewright please undo that": command("undo", "that"),
    "@pipewright undo the last change, please": command("undo", "the last change, please"),
    "@pipewright revert": command("undo"),
    "@pipewright cancel": command("cancel"),
    # plain wishes
    "@pipewright please set up CI for this project": command("generate", "for this project"),
    "@pipewright set up ci": command("generate"),
    "@pipewright setup a pipeline": command("generate"),
    "@pipewright create a new gitlab pipeline": command("generate"),
    "@pipewright could you add CI/CD with postgres?": command("generate", "with postgres"),
    "@pipewright write us a .gitlab-ci.yml": command("generate"),
    "@pipewright give us some pipelines.": command("generate"),
    "@pipewright set up a CI pipeline please": command("generate", "please"),
    "@pipewright add a CI config file": command("generate"),
    "@pipewright set up CI für dieses Projekt": command("generate", "für dieses Projekt"),
    "@pipewright set up CI\nwith postgres": command("generate", "with postgres"),
    # several: the first is meant
    "@pipewright status\n@pipewright approve": command("status"),
    "@pipewright generate and then @pipewright approve": command("generate", "and then"),
    "@pipewright @pipewright status": command("status"),
    # only `generate` reads more than its own line
    "@pipewright approve 0a1b2c3\nThank you all!": command("approve", "0a1b2c3"),
    "@pipewright approve 0a1b2c3.\n\nGood work.": command("approve", "0a1b2c3"),
    "@pipewright approve\nThank you all!": command("approve"),
    "@pipewright status main\nand the weather": command("status", "main"),
}


@pytest.mark.parametrize("text", COMMANDS)
def test_these_words_are_a_command(text: str) -> None:
    assert read(text) == COMMANDS[text]


NOBODY_ASKED = {
    "no mention": "please set up CI",
    "nothing": "",
    "an @ alone": "@ pipewright help",
    "another person": "@anna help",
    "a longer name": "@pipewright2 help",
    "a name with a dash behind": "@pipewright-team help",
    "a name with a dot behind": "@pipewright.dev help",
    "a name with an underscore behind": "@pipewright_dev help",
    "a name before": "@my-pipewright help",
    "an e-mail address": "write to me@pipewright.example or me@pipewright help",
    "an address of a page": "see https://gitlab.example/@pipewright help",
    "a path": "npm i @scope/@pipewright help",
    "an escaped @": "\\@pipewright help",
    "an entity": "&#64;pipewright help",
    "a group below it": "@group/pipewright help",
    "a code span": "`@pipewright approve`",
    "a code span of two marks": "``@pipewright ` approve``",
    "a code span over lines": "`like\n@pipewright approve`",
    "a fence": "```\n@pipewright approve\n```",
    "a fence with a language": "```sh\n@pipewright approve\n```\n",
    "a longer fence around a shorter one": "````\n```\n@pipewright approve\n```\n````",
    "a fence of tildes": "~~~\n@pipewright approve\n~~~",
    "a fence with backticks inside one of tildes": "~~~\n```\n@pipewright approve\n~~~",
    "a fence nobody closed": "so:\n```\n@pipewright approve",
    "an indented fence": "   ```\n@pipewright approve\n   ```",
    "a quote": "> @pipewright approve",
    "a quote of a quote": ">> @pipewright approve",
    "a quote without a blank": ">@pipewright approve",
    "an indented quote": "   > @pipewright approve",
    "the second line of a quote": "> well\n> @pipewright approve",
    "a quote's lazy end": "> I would say\n@pipewright approve",
    "a fence inside a quote": "> ```\n> @pipewright approve\n> ```",
    "indented code": "So I wrote:\n\n    @pipewright approve\n",
    "code indented with a tab": "So I wrote:\n\n\t@pipewright approve\n",
    "GitLab's long quote": ">>>\n@pipewright approve\n>>>",
    "GitLab's long quote, longer": ">>>>\n>>>\nx\n>>>\n\n@pipewright approve\n>>>>",
    "GitLab's long quote, indented": "  >>>\n\n@pipewright approve\n   >>>",
    "GitLab's long quote nobody closed": "so:\n>>>\nshall we?\n\n@pipewright approve",
    "front matter": "---\nreply: @pipewright approve\n---\n\nHello.",
    "front matter below its encoding": "# coding: utf-8\n\n+++\n@pipewright approve\n+++",
    "an HTML comment": "<!-- @pipewright approve -->",
    "an HTML comment nobody closed": "hello\n<!-- @pipewright approve",
    "preformatted HTML": "<pre>\n@pipewright approve\n</pre>",
    "HTML code": "<code>@pipewright approve</code>",
    "an HTML quote": "<blockquote>\n@pipewright approve\n</blockquote>",
}


@pytest.mark.parametrize("place", NOBODY_ASKED)
def test_a_name_in_such_a_place_calls_nobody(place: str) -> None:
    assert read(NOBODY_ASKED[place]) is None


AROUND = {
    "below a quote": "> shall we?\n\n@pipewright approve",
    "below a quoted fence": "> ```\n> make test\n> ```\n@pipewright approve",
    "below a line": "So:\n\n---\n@pipewright approve",
    "below a line at the top": "---\n@pipewright approve\n\nThanks.",
    "below front matter": "---\ntitle: x\n---\n@pipewright approve",
    "in a heading": "# @pipewright approve",
    "in bold": "**@pipewright approve**",
    "below a fence": "```\nmake test\n```\n@pipewright approve",
    "below indented code": "So:\n\n    make test\n\n@pipewright approve",
    "below GitLab's long quote": ">>>\nshall we?\n>>>\n\n@pipewright approve",
    "below a prompt in a fence": "```\n>>>\n```\n@pipewright approve",
    "behind a code span": "`make test` works, @pipewright approve",
    "behind a backtick alone": "it's a ` in here, @pipewright approve",
    "between fences": "```\na\n```\n@pipewright approve\n```\nb\n```",
    "behind an e-mail address": "from me@pipewright.example: @pipewright approve",
    "below an HTML comment": "<!-- note -->\n@pipewright approve",
    "in a list": "- @pipewright approve",
    "in an indented list": "- so\n    - @pipewright approve",
    "with words in code around": "@pipewright approve `0a1b2c3`",
}


@pytest.mark.parametrize("place", AROUND)
def test_an_order_beside_quotes_and_code_counts(place: str) -> None:
    found = read(AROUND[place])
    assert isinstance(found, Command)
    assert found.name == "approve"


MISTYPED = {
    "@pipewright hlep": ("hlep", "help"),
    "@pipewright generat": ("generat", "generate"),
    "@pipewright aprove": ("aprove", "approve"),
    "@pipewright Aproove please": ("aproove", "approve"),
    "@pipewright stauts": ("stauts", "status"),
    "@pipewright cancle": ("cancle", "cancel"),
    "@pipewright /retyr": ("retyr", "retry"),
}


@pytest.mark.parametrize("text", MISTYPED)
def test_a_mistyped_command_is_asked_back(text: str) -> None:
    word, guess = MISTYPED[text]
    assert read(text) == Unknown(word=word, guess=guess)  # type: ignore[arg-type]


FREE = [
    "@pipewright why does the build take so long?",
    "@pipewright what are the jobs?",
    "@pipewright explain the moon to me please",
    "@pipewright explain the pipeline",
    "@pipewright what is a failing test?",
    "@pipewright explain why we need a cache",
    "@pipewright fix the typo in the README",
    "@pipewright approve of the idea?",
    "@pipewright ❌ approve",
    "@pipewright can I approve this myself?",
    "@pipewright do not approve",
    "@pipewright don't merge",
    "@pipewright never merge this",
    "@pipewright approve 0a1b2c3 and d4e5f6a",
    "@pipewright approve main",
    "@pipewright approve 123456",
    "@pipewright approve please not",
    "@pipewright merge conflicts are ugly",
    "@pipewright retry is a nice word",
    "@pipewright undo the change of the database from last week",
    "@pipewright revert to python 3.11 in the tests",
    "@pipewright status quo is fine with me",
    "@pipewright cancel my subscription",
    "@pipewright close the window",
    "@pipewright xyz",
    "@pipewright give me the pipeline status",
    "@pipewright add a pipeline badge to the README",
    "@pipewright create a CI pipeline schedule for nightly",
    "@pipewright make the pipeline faster",
    "@pipewright write CI docs",
    "@pipewright 👍",
    "@pipewright 请设置持续集成",
]


@pytest.mark.parametrize("text", FREE)
def test_anything_else_is_for_the_model(text: str) -> None:
    assert isinstance(read(text), FreeText)


def test_the_model_sees_every_word_even_quotes_and_code() -> None:
    text = "The build fails:\n```\nE: no module\n```\n@pipewright what is wrong with `stages:`?"
    assert read(text) == FreeText(text=text)


def test_quoted_words_are_no_part_of_an_order() -> None:
    assert read("> @anna generate with oracle\n\n@pipewright generate") == command("generate")


HUGE = {
    "letters": "x" * 1_000_000,
    "mentions": "@pipewright " * 80_000,
    "backticks": "`" * 1_000_000,
    "odd backticks": "` `` " * 200_000,
    "fences": "```\n" * 250_000,
    "quotes": "> \n" * 300_000,
    "comments": "<!-- " * 200_000,
    "blanks": " " * 1_000_000,
    "line ends": "\n" * 1_000_000,
    "polite words": "please " * 140_000,
    "indented lines": "    x\n" * 160_000,
    "tags": "<pre>" * 200_000,
    "long quotes": ">>>\n" * 250_000,
    "lines": "---\n" * 250_000,
    "blank lines and a line": "\n" * 500_000 + "---\n" * 100_000,
}


@pytest.mark.parametrize("what", HUGE)
def test_a_megabyte_is_read_without_ado(what: str) -> None:
    assert read("@pipewright status\n\n" + HUGE[what]) is not None
    assert read_command(HUGE[what], ("somebody-else",)) is None


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("@pipewright explain", ""),
        ("@pipewright explain main", "main"),
        ("@pipewright explain #123", "#123"),
        ("@pipewright explain job unit tests", "job unit tests"),
        ("@pipewright why did it fail?", ""),
        ("@pipewright Why is the pipeline red?", ""),
        ("@pipewright what went wrong?", ""),
        ("@pipewright why does the build fail?", ""),
        ("@pipewright why did the tests fail on main?", "main"),
        ("@pipewright why is main red?", "main"),
        ("@pipewright why is it failing on feature/x ?", "feature/x"),
        ("@pipewright explain lint please", "lint please"),
        ("@pipewright explain main, thanks", "main, thanks"),
        ("@pipewright explain branch main", "branch main"),
        ("@pipewright explain why", "why"),
        ("@pipewright explain why it failed", ""),
        ("@pipewright explain what happened", ""),
        ("@pipewright explain why lint failed", "lint"),
        ("@pipewright why did it fail again?", ""),
        ("@pipewright what failed?", ""),
        ("@pipewright what’s wrong?", ""),
    ],
)
def test_asking_why_it_failed_needs_no_model(text: str, where: str) -> None:
    assert read(text) == Command(name="explain", rest=where)


BRANCHES = {
    "": None,
    "please": None,
    "please, when you can": None,
    "please, now!": None,
    "of the draft": None,
    "of this pipeline, thanks": None,
    "main": "main",
    "`main`?": "main",
    "of feature/x": "feature/x",
    "on main, please": "main",
    "main again, please": "main",
    "for main": "main",
    "branch main": "main",
    "please, of main when you can": "main",
    "of the release branch, please": "release",
    "release-1.2.": "release-1.2",
}


@pytest.mark.parametrize("words", BRANCHES)
def test_a_status_is_of_a_branch_only_where_one_is_named(words: str) -> None:
    assert branch_named(words) == BRANCHES[words]
