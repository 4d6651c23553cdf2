// What a line grid listens to: keys, mouse and finger, focus, its buttons and the clipboard.
import { copyBlock, pasteBlock } from "./blocks.js";
import { onGridKey } from "./gridkeys.js";

export function listenTo(grid) {
  grid.section.addEventListener("keydown", (event) => { if (grid.active && grid.at(event.target)) onGridKey(grid, event); });
  grid.body.addEventListener("mousedown", (event) => {
    const at = grid.at(event.target);
    if (!at || event.button !== 0 || event.target.closest("a")) return;
    if (event.target === grid.editor.input) {
      // As in a spreadsheet a second click changes nothing, two fast ones edit; a finger has no second button.
      if (grid.editor.mode === "editing" || matchMedia("(pointer: coarse)").matches) grid.editor.mode = "editing";
      else event.preventDefault();
      return;
    }
    event.preventDefault();
    if (event.shiftKey && grid.active) { grid.reach = { row: at.row, key: at.key }; grid.mark(); return; }
    grid.go(at.row, at.key, { keepEntry: false });
    grid.dragging = true;
  });
  grid.body.addEventListener("mouseover", (event) => {
    const at = grid.dragging && event.buttons === 1 && grid.at(event.target);
    if (!at || (at.row === grid.active.row && at.key === grid.active.key && !grid.reach)) return;
    grid.reach = { row: at.row, key: at.key };
    grid.mark();
  });
  document.addEventListener("mouseup", () => { grid.dragging = false; });
  grid.body.addEventListener("dblclick", (event) => { if (grid.at(event.target) && grid.editor.isMounted) grid.editor.edit(); });
  grid.body.addEventListener("focusin", (event) => {
    const at = grid.at(event.target);
    if (at && !grid.walking && event.target === at.td) grid.go(at.row, at.key);
  });
  grid.section.addEventListener("focusout", (event) => {
    if (grid.walking || grid.section.contains(event.relatedTarget) || !document.hasFocus()) return;
    grid.editor.unmount();
    grid.reach = null;
    grid.entry = null;
    grid.mark();
    grid.settleStop();
  });
  grid.section.addEventListener("click", (event) => {
    if (event.target.closest("[data-add-row]")) { const row = grid.add(); if (row) grid.go(row, grid.typed[0].key); }
    const trash = event.target.closest("[data-remove-row]");
    if (trash) grid.remove(grid.owners.get(trash.closest("tr")));
  });
  grid.section.addEventListener("change", (event) => {
    const column = grid.columns.find((one) => one.key === event.target.dataset?.column);
    if (column) { grid.show(column, event.target.checked); grid.page.remember(`columns.${grid.key}`, grid.columns.filter((one) => !one.hidden).map((one) => one.key)); }
  });
  grid.section.addEventListener("copy", (event) => copyBlock(grid, event));
  grid.section.addEventListener("cut", (event) => { if (copyBlock(grid, event)) grid.clear(); });
  grid.section.addEventListener("paste", (event) => pasteBlock(grid, event));
  const wanted = grid.page.recall(`columns.${grid.key}`);
  if (wanted) for (const column of grid.columns) if (!column.conditional) grid.show(column, wanted.includes(column.key) || column === grid.columns[0]);
}
