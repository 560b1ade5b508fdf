"""How a Ruby application is served: by what its Procfile says, by Rails, or by a server for Rack."""

import re

from bot.survey.facts import Facts
from bot.survey.tree import Folder

_FRAMEWORKS = ("rails", "hanami", "sinatra", "roda")
_RAILS = "bin/rails server -b 0.0.0.0"
_RACKUP = "bundle exec rackup -o 0.0.0.0 -p 9292"
# Each starts by itself, while rackup is a gem of its own since Rack 3, which nothing of these brings.
_SERVERS = {
    "puma": "bundle exec puma -b tcp://0.0.0.0:9292",
    "unicorn": "bundle exec unicorn -l 0.0.0.0:9292",
    "thin": "bundle exec thin start -a 0.0.0.0 -p 9292",
}
_LISTENS = r"(?:\s-p[ =]?|--port[ =]|\s-[bl][ =]?(?:tcp://)?[\w.]*:|--(?:bind|listen)[ =](?:\w+://)?[\w.]*:)(\d{2,5})\b"


def named_gems(folder: Folder) -> str:
    """Return everything that names gems, so that a gem can be looked for."""
    names = ["Gemfile", "gems.rb", "Gemfile.lock", *folder.names(r"[\w.-]+\.gemspec")]
    return "\n".join(folder.text(name) for name in names)


def has_gem(folder: Folder, name: str) -> bool:
    """Whether a gem is named by the project or locked."""
    return (
        re.search(rf"(?:['\"]|^ {{4}}){re.escape(name)}(?:['\"]| \(|$)", named_gems(folder), re.MULTILINE) is not None
    )


def add_application(facts: Facts, folder: Folder) -> str:
    """Add what is deployed, which a gem is not: Rails, other Rack applications, scripts that a Procfile starts.

    Return the framework, if it is deployed.
    """
    framework = next((name for name in _FRAMEWORKS if has_gem(folder, name)), "")
    web = re.search(r"^web:\s*(.+?)\s*$", folder.text("Procfile"), re.MULTILINE)
    is_rack = folder.has("config.ru") or folder.has("config/application.rb")
    if not (is_rack or (web and framework)) or folder.names(r".*\.gemspec"):
        return ""
    where = folder.evidence("Gemfile", f'"{framework}"', f"'{framework}'")
    facts.add("framework", framework or "rack", "there is a config.ru" if is_rack else "it is a gem of it", where)
    facts.add("deployable", "yes", "it is a web application", where, confidence=0.9)
    start, told = (web.group(1), folder.evidence("Procfile", "web:")) if web else (_own_start(folder, framework), where)
    facts.add("start", start, "it serves the web", told, confidence=0.8)
    facts.add("port", _port(start, framework), "the server listens there", told, confidence=0.8)
    return framework


def _own_start(folder: Folder, framework: str) -> str:
    if framework == "rails":
        return _RAILS
    servers: list[str] = [line for gem, line in _SERVERS.items() if has_gem(folder, gem)]
    return [*servers, _RACKUP][0]


def _port(start: str, framework: str) -> str:
    """Return the port that the command names, else the default of what it starts; most of them heed PORT too."""
    told = re.search(_LISTENS, start)
    if told:
        return told.group(1)
    is_script = re.match(r"(?:bundle exec )?ruby ", start) is not None
    return "3000" if framework == "rails" else "4567" if is_script and framework == "sinatra" else "9292"
