// What a workflow wants to know beside the document: people to be picked for later nodes, a signature by hand.

export const WANTED = new Set(["workflow.choose", "workflow.choose_fewer", "workflow.choose_holders", "workflow.signature_needed"]);

// The people picked and the signature, or null when somebody changed their mind.
export async function askWanted(page, action) {
  const address = new URL(page.urls.wanted, location.href);
  address.searchParams.set("action", action);
  if (page.model.id !== null) address.searchParams.set("document", page.model.id);
  const answer = await fetch(address, { credentials: "same-origin", headers: { "HX-Request": "true" } });
  if (!answer.ok) return null;
  const drawer = document.getElementById("drawer");
  document.getElementById("drawer-body").innerHTML = await answer.text();
  document.dispatchEvent(new CustomEvent("stockloom:flow-fields"));
  drawer.showModal();
  return new Promise((resolve) => {
    let told = null;
    drawer.querySelector("[data-wanted]").addEventListener("submit", (event) => {
      event.preventDefault();
      const chosen = {};
      let signature = "";
      for (const [name, value] of new FormData(event.target)) {
        if (name === "signature") signature = value;
        else if (name.startsWith("chosen.")) (chosen[name.slice(7)] ||= []).push(Number(value));
      }
      told = { chosen, signature };
      drawer.close();
    });
    drawer.addEventListener("close", () => resolve(told), { once: true });
  });
}
