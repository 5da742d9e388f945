"""Tab goes round: through a form, what stands beside it, and the form again from its beginning."""

from __future__ import annotations

from tests.support.screen import running


async def test_tab_comes_back_to_the_first_row_and_shift_tab_to_the_last() -> None:
    async with running(size=(80, 24)) as run:
        form = run.main.connection.form
        form.action_last()
        last = form.selected
        for keys, wanted in (("tab", "url"), ("shift+tab", last)):
            form.go(last if keys == "tab" else "url", edit=False)
            await run.press(keys)
            assert not form.has_focus_within
            for _ in range(len(run.app.screen.focus_chain)):
                await run.press(keys)
                if form.has_focus_within:
                    break
            assert form.selected == wanted
