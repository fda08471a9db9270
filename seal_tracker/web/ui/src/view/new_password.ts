// The form that changes a password which somebody else has given; until then the service allows nothing else.
import { ApiError, changePassword } from "../api/client";
import type { Session } from "../api/types";
import type { Messages } from "../i18n";
import { h } from "./dom";
import type { Reader } from "./reader";

function reason(error: unknown, words: Messages["signIn"]): string {
  if (!(error instanceof ApiError) || error.status === 0) return words.unreachable;
  if (error.status === 401) return words.newPassword.wrong;
  return error.status === 429 ? words.tooMany : error.message;
}

const field = (id: string, autocomplete: string): HTMLInputElement => h("input", { id, name: id, type: "password", autocomplete, required: true });

/** Shows the form in `root`; resolves with the session that goes on. */
export function askForNewPassword(root: HTMLElement, { words: { signIn: words } }: Reader, session: Session): Promise<Session> {
  return new Promise((resolve) => {
    const current = field("current", "current-password");
    const replacement = field("replacement", "new-password");
    const again = field("again", "new-password");
    const message = h("p", { class: "sign-in-message", role: "alert" });
    const button = h("button", { type: "submit", class: "primary" }, words.newPassword.submit);

    const submit = async (event: Event): Promise<void> => {
      event.preventDefault();
      message.textContent = replacement.value === again.value ? "" : words.newPassword.different;
      if (message.textContent) return;
      button.disabled = true;
      try {
        resolve(await changePassword(session, current.value, replacement.value));
      } catch (error) {
        message.textContent = reason(error, words);
      } finally {
        button.disabled = false;
      }
    };

    root.replaceChildren(
      h(
        "main",
        { class: "sign-in" },
        h("div", { class: "sign-in-brand" }, h("h1", {}, words.newPassword.title), h("p", {}, words.newPassword.why)),
        h(
          "form",
          { submit: (event) => void submit(event), "aria-label": words.newPassword.title },
          h("input", { type: "text", name: "username", autocomplete: "username", value: session.username, hidden: true, readonly: true }),
          h("label", { for: "current" }, words.newPassword.current),
          current,
          h("label", { for: "replacement" }, words.newPassword.replacement),
          replacement,
          h("label", { for: "again" }, words.newPassword.again),
          again,
          message,
          button,
        ),
      ),
    );
    current.focus();
  });
}
