// Files of a field: uploaded at once, one after another, kept in the model as their ids.

export function bindFiles(root, page) {
  for (const box of root.querySelectorAll("[data-files]")) {
    if (box.dataset.bound) continue;
    box.dataset.bound = "yes";
    const path = box.dataset.path;
    const list = box.querySelector(".file-list");
    box.querySelector("input[type=file]").addEventListener("change", async (event) => {
      const chosen = [...event.target.files];
      event.target.value = "";
      for (const file of chosen) await upload(file);
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

    async function upload(file) {
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
        const body = new FormData();
        body.append("file", file, file.name);
        const answer = await fetch(page.urls.files, {
          method: "POST", credentials: "same-origin", body,
          headers: { Accept: "application/json", "X-CSRF-Token": document.body.dataset.csrf },
        });
        const data = await answer.json();
        if (!answer.ok) throw new Error(data.problems?.[0]?.text || "");
        line.replaceWith(shown(data.id, file.name, box.dataset.files === "image"));
        keep([...ids(), data.id]);
      } catch (error) {
        line.remove();
        page.say(error.message && !(error instanceof TypeError) ? error.message : page.fill("upload_failed", { name: file.name }), "danger");
      }
    }

    function shown(id, name, isImage) {
      const line = document.createElement("li");
      line.className = "file-one";
      line.dataset.file = id;
      const link = document.createElement("a");
      link.href = `${page.urls.files}/${encodeURIComponent(id)}`;
      link.target = "_blank";
      link.rel = "noopener";
      if (isImage) {
        const picture = document.createElement("img");
        Object.assign(picture, { src: link.href, alt: name, width: 72, height: 72 });
        link.append(picture);
      } else link.append(name);
      const remove = document.createElement("button");
      remove.type = "button";
      remove.className = "btn-plain";
      remove.dataset.fileRemove = "";
      remove.setAttribute("aria-label", page.words.remove);
      remove.textContent = "×";
      line.append(link, remove);
      return line;
    }
  }
}
