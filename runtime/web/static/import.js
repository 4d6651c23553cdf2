// The upload: shows the name of the chosen file, and takes a file that is dropped on it.
(() => {
  const place = document.querySelector("[data-import-drop]");
  if (!place) return;
  const input = place.querySelector("input[type=file]");
  const name = place.querySelector("[data-import-name]");
  const asked = name.textContent;
  const show = () => { name.textContent = input.files[0]?.name || asked; place.classList.toggle("is-chosen", input.files.length > 0); };
  input.addEventListener("change", show);
  place.addEventListener("dragover", (event) => { event.preventDefault(); place.classList.add("is-over"); });
  place.addEventListener("dragleave", () => place.classList.remove("is-over"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("is-over");
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    show();
  });
  show();
})();
