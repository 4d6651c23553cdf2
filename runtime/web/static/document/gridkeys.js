// What the keys do in a line grid.

const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

export function onGridKey(grid, event) {
  if (event.isComposing || event.keyCode === 229) return;
  const control = event.ctrlKey || event.metaKey;
  if (grid.editor.listOpen && inList(grid, event)) { event.preventDefault(); return; }
  const done = control ? withControl(grid, event) : plain(grid, event);
  if (done) event.preventDefault();
}

// While the look-up list is open, arrows and Enter belong to it. Tab takes the hit and walks on.
function inList(grid, event) {
  const { lookup } = grid.page;
  switch (event.key) {
    case "ArrowDown": lookup.move(1); return true;
    case "ArrowUp": lookup.move(-1); return true;
    case "Escape": grid.editor.cancel(); return true;
    case "Enter": {
      if (event.ctrlKey || event.metaKey) return false;
      if (lookup.choose()) return true;
      if (!lookup.pending || !grid.editor.input.value.trim()) return false;
      // Typed faster than the look-up answers: leave the cell, its answer is put in when it comes.
      const { row, key } = grid.active;
      grid.editor.commit();
      grid.chose(row, key);
      return true;
    }
    case "Tab": grid.editor.take(); return false;
    default: return false;
  }
}

function withControl(grid, event) {
  const { rows, shown, active } = grid;
  switch (event.key) {
    case "d": case "D": grid.above(); return true;
    case "Delete": case "Backspace": if (event.key === "Backspace" && grid.editor.mode === "editing") return false; grid.remove(active.row); return true;
    case "Home": grid.go(rows[0], shown[0].key, { keepEntry: false }); return true;
    case "End": grid.go(rows.at(-1), shown.at(-1).key, { keepEntry: false }); return true;
    case "Insert": return false;
    default: return false;
  }
}

function plain(grid, event) {
  const { editor, rows, active } = grid;
  const editing = editor.isMounted && editor.mode === "editing";
  switch (event.key) {
    case "F2": if (editor.isMounted) editor.edit(); return true;
    case "Escape": if (editing) editor.cancel(); return editing;
    case "Tab": return tab(grid, event.shiftKey ? -1 : 1);
    case "Enter":
      if (event.shiftKey) grid.step(-1, 0); else grid.down();
      return true;
    case "Insert": if (grid.isTyped) { const row = grid.add(rows.indexOf(active.row)); if (row) grid.go(row, active.key); } return true;
    case "Delete": if (editing) return false; grid.clear(); return true;
    case "Home": if (editing) return false; grid.go(active.row, grid.shown[0].key, { keepEntry: false }); return true;
    case "End": if (editing) return false; grid.go(active.row, grid.shown.at(-1).key, { keepEntry: false }); return true;
    case "ArrowUp": case "ArrowDown": case "ArrowLeft": case "ArrowRight": return arrow(grid, event, editing);
    default: return false;
  }
}

function tab(grid, by) {
  return grid.next(by);
}

function arrow(grid, event, editing) {
  const [rows, columns] = ARROWS[event.key];
  if (event.altKey) { if (event.key === "ArrowDown") grid.editor.open(); return event.key === "ArrowDown"; }
  if (editing && columns) return false;
  if (event.shiftKey && !editing) { grid.extend(rows, columns); return true; }
  grid.step(rows, columns);
  return true;
}
