"""What an existing pipeline includes from its own repository counts as there."""

import yaml

INCLUDING = "include:\n  - local: /.gitlab/ci/*.yml\n"
TESTS = "stages: [check, ship]\nunit-tests:\n  stage: check\n  script: [pytest]\n"
PYTHON = {"package_manager": "pip", "version": "3.13", "install": "pip install .", "test": "pytest"}


def test_a_job_in_an_included_file_is_not_written_twice(composed, unit) -> None:
    composition = composed(unit("python", **PYTHON), existing=INCLUDING, texts={".gitlab/ci/a.yml": TESTS})
    assert composition.files == {}
    assert composition.kept == ("unit-tests",)


def test_what_is_missing_goes_into_a_stage_that_an_included_file_lists(composed, unit) -> None:
    given = unit("python", **PYTHON, lint="ruff check .")
    composition = composed(given, existing=INCLUDING, texts={".gitlab/ci/a.yml": TESTS})
    written = yaml.safe_load(composition.files[".gitlab-ci.yml"])
    assert written["lint"]["stage"] == "check"
    assert "test" not in written
    assert "stages" not in written


def test_a_lint_job_has_the_system_packages_too(composed, unit) -> None:
    given = unit("lua", version="5.4", test="busted", lint="luacheck .", lint_install="luarocks install luacheck")
    written = yaml.safe_load(composed(given).files[".gitlab-ci.yml"])
    assert "luarocks" in written["lint"]["before_script"][0]
    assert written["lint"]["before_script"][1] == "luarocks install luacheck"


def test_the_test_job_does_not_repeat_shared_variables(composed, unit) -> None:
    given = unit("elixir", version="1.19", test="mix test", lint="mix credo", variable="MIX_ENV=test")
    written = yaml.safe_load(composed(given).files[".gitlab-ci.yml"])
    assert written[".elixir"]["variables"]["MIX_ENV"] == "test"
    assert "variables" not in written["test"]


def test_uv_is_only_asked_to_tidy_up_where_it_was_installed(composed, unit) -> None:
    installs = {"pip install -r requirements.txt": False, "pip install uv==0.13.9": True}
    for install, is_there in installs.items():
        given = unit("python", **{**PYTHON, "package_manager": "uv", "install": install})
        assert ("uv cache prune --ci" in composed(given).files[".gitlab-ci.yml"]) is is_there


def test_a_file_with_references_can_be_extended(composed, unit) -> None:
    existing = (
        ".rules:\n  rules: [{if: $X}]\nbuild:\n  stage: build\n  script: [make]\n  rules: !reference [.rules, rules]\n"
    )
    text = composed(unit("python", **PYTHON), existing=existing).files[".gitlab-ci.yml"]
    assert text.startswith(existing)
    assert "\ntest:\n" in text
