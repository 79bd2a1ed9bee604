// A server that does not answer, said in a line at the foot of the page.
//
// Streamlit says it in a dialog, which stands in the hand's way; what a hand moves needs no server
// here. The dialog is closed as it opens, and Streamlit opens no other before the server is back.

const APP = '[data-testid="stApp"]'
const TITLE = "Connection error"
const WORDS = "The server is not answering. What you move still moves; sentences and tables follow " +
  "once it is back."

const isBack = (app) => app.dataset.testConnectionState === "CONNECTED"

function say(app) {
  const line = document.createElement("p")
  line.className = "dl-absence"
  line.role = "status"
  line.textContent = WORDS
  app.append(line)
  const watch = new MutationObserver(() => {
    if (!isBack(app)) return
    watch.disconnect()
    line.remove()
  })
  watch.observe(app, { attributeFilter: ["data-test-connection-state"] })
}

function look() {
  const app = document.querySelector(APP)
  const dialog = document.querySelector(".stDialog")
  if (!app || isBack(app) || dialog?.querySelector("h2")?.textContent !== TITLE) return
  dialog.querySelector('button[aria-label="Close"]')?.click()
  if (!app.querySelector(":scope > .dl-absence")) say(app)
}

let watching = false

// Begins to watch, once a page: dialogs are mounted at the end of its body.
export function watchAbsence() {
  if (watching) return
  watching = true
  new MutationObserver(look).observe(document.body, { childList: true })
}
