// Files of a field: uploaded at once, one after another, kept in the model as their ids.

// Keeps a file on the server; answers its id, or throws what the server said (nothing when there was no answer).
export async function upload(address, file) {
  const body = new FormData();
  body.append("file", file, file.name);
  const answer = await fetch(address, {
    method: "POST", credentials: "same-origin", body,
    headers: { Accept: "application/json", "X-CSRF-Token": document.body.dataset.csrf },
  }).catch(() => { throw new Error(""); });
  const data = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(data.problems?.[0]?.text || "");
  return data.id;
}

// A line of a list of files, with the way to take it off again.
export function fileLine(address, id, name, remove, isImage = false) {
  const line = document.createElement("li");
  line.className = "file-one";
  line.dataset.file = id;
  const link = document.createElement("a");
  link.href = `${address}/${encodeURIComponent(id)}`;
  link.target = "_blank";
  link.rel = "noopener";
  if (isImage) {
    const picture = document.createElement("img");
    Object.assign(picture, { src: link.href, alt: name, width: 72, height: 72 });
    link.append(picture);
  } else link.append(name);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn-plain";
  button.dataset.fileRemove = "";
  button.setAttribute("aria-label", remove);
  button.textContent = "×";
  line.append(link, button);
  return line;
}

export function bindFiles(root, page) {
  for (const box of root.querySelectorAll("[data-files]")) {
    if (box.dataset.bound) continue;
    box.dataset.bound = "yes";
    const path = box.dataset.path;
    const list = box.querySelector(".file-list");
    box.querySelector("input[type=file]").addEventListener("change", async (event) => {
      const chosen = [...event.target.files];
      event.target.value = "";
      for (const file of chosen) await add(file);
    });
    box.addEventListener("click", (event) => {
      const line = event.target.closest("[data-file-remove]")?.closest("[data-file]");
      if (!line) return;
      keep(ids().filter((id) => id !== line.dataset.file));
      line.remove();
    });
    const field = page.model.fields[path];
    const ids = () => page.model.header[path].value || [];
    const keep = (value) => { if (page.model.set(null, path, value, "")) page.changed(); };

    async function add(file) {
      if (field.most && ids().length >= field.most) { page.say(page.fill("too_many_files", { most: field.most }), "danger"); return; }
      const ending = file.name.split(".").pop().toLowerCase();
      if (field.accept.length && !field.accept.includes(ending)) {
        page.say(page.fill("file_wrong", { name: file.name, accept: field.accept.join(", ") }), "danger");
        return;
      }
      const line = document.createElement("li");
      line.className = "file-one is-loading";
      line.textContent = `${page.words.uploading} ${file.name}`;
      list.append(line);
      try {
        const id = await upload(page.urls.files, file);
        line.replaceWith(fileLine(page.urls.files, id, file.name, page.words.remove, box.dataset.files === "image"));
        keep([...ids(), id]);
      } catch (error) {
        line.remove();
        page.say(error.message || page.fill("upload_failed", { name: file.name }), "danger");
      }
    }
  }
}
