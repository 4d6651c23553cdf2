// Files attached to a decision: uploaded at once, sent with it as their ids. Nothing is decided while one is on its way.
import { fileLine, upload } from "../document/files.js";

export function bindMoveFiles(field) {
  field.dataset.bound = "yes";
  const { address, most, tooMany, uploading, failed, remove } = field.dataset;
  const list = field.querySelector(".file-list");
  const say = field.querySelector("[data-files-say]");
  const form = field.closest("form");
  const told = (text) => { say.textContent = text; say.hidden = !text; };

  async function add(file) {
    if (list.children.length >= Number(most)) { told(tooMany); return; }
    const line = document.createElement("li");
    line.className = "file-one is-loading";
    line.textContent = `${uploading} ${file.name}`;
    list.append(line);
    try {
      const id = await upload(address, file);
      const kept = document.createElement("input");
      Object.assign(kept, { type: "hidden", name: "files", value: id });
      const made = fileLine(address, id, file.name, remove);
      made.append(kept);
      line.replaceWith(made);
    } catch (error) {
      line.remove();
      told(error.message || failed.replace("{name}", file.name));
    }
  }

  field.querySelector("input[type=file]").addEventListener("change", async (event) => {
    const chosen = [...event.target.files];
    event.target.value = "";
    told("");
    const buttons = [...form.querySelectorAll("button:not([type=button])")];
    buttons.forEach((button) => { button.disabled = true; });
    for (const file of chosen) await add(file);
    buttons.forEach((button) => { button.disabled = false; });
  });
  list.addEventListener("click", (event) => {
    if (event.target.closest("[data-file-remove]")) event.target.closest("[data-file]").remove();
  });
}
