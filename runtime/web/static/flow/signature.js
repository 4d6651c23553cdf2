// A signature by hand: strokes of a finger, pen or mouse on a canvas, kept as a small picture in a hidden field.

const INK = "#111827";
const WIDTH = 4;

export function bindSignature(field) {
  field.dataset.bound = "yes";
  const canvas = field.querySelector("canvas");
  const kept = field.querySelector("input[name=signature]");
  const say = field.querySelector("[data-signature-say]");
  const pen = canvas.getContext("2d");
  let last = null;
  Object.assign(pen, { lineWidth: WIDTH, lineCap: "round", lineJoin: "round", strokeStyle: INK, fillStyle: INK });

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * canvas.width / box.width, (event.clientY - box.top) * canvas.height / box.height];
  };
  canvas.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    last = place(event);
    pen.beginPath();
    pen.arc(last[0], last[1], WIDTH / 2, 0, 2 * Math.PI);
    pen.fill();
    say.hidden = true;
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    for (const step of event.getCoalescedEvents?.() || [event]) {
      const next = place(step);
      pen.beginPath();
      pen.moveTo(...last);
      pen.lineTo(...next);
      pen.stroke();
      last = next;
    }
  });
  const end = () => { if (last) { last = null; kept.value = canvas.toDataURL("image/png"); } };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  field.querySelector("[data-signature-clear]").addEventListener("click", () => {
    pen.clearRect(0, 0, canvas.width, canvas.height);
    kept.value = "";
  });
  field.closest("form")?.addEventListener("submit", (event) => {
    if (kept.value || event.defaultPrevented) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    say.hidden = false;
    canvas.scrollIntoView({ block: "center" });
    canvas.focus();
  }, true);
}
