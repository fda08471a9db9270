// The sign-in form.
import { ApiError, signIn } from "../api/client";
import type { Session } from "../api/types";
import type { Messages } from "../i18n";
import { h } from "./dom";
import { languageChoice } from "./language";
import type { Reader } from "./reader";

function reason(error: unknown, words: Messages["signIn"]): string {
  if (!(error instanceof ApiError) || error.status === 0) return words.unreachable;
  if (error.status === 401 || error.status === 403) return words.refused;
  return error.status === 429 ? words.tooMany : error.message;
}

/** Shows the form in `root`; resolves when the service has accepted someone. */
export function askToSignIn(root: HTMLElement, { words, language }: Reader, notice: string, onLanguage: () => void): Promise<Session> {
  return new Promise((resolve) => {
    const username = h("input", { id: "username", name: "username", type: "text", autocomplete: "username", autocapitalize: "none", spellcheck: "false", required: true });
    const password = h("input", { id: "password", name: "password", type: "password", autocomplete: "current-password", required: true });
    const message = h("p", { class: "sign-in-message", role: "alert" }, notice);
    const button = h("button", { type: "submit", class: "primary" }, words.signIn.submit);

    const submit = async (event: Event): Promise<void> => {
      event.preventDefault();
      button.disabled = true;
      message.textContent = "";
      try {
        resolve(await signIn(username.value, password.value));
      } catch (error) {
        message.textContent = reason(error, words.signIn);
        password.select();
      } finally {
        button.disabled = false;
      }
    };

    root.replaceChildren(
      h(
        "main",
        { class: "sign-in" },
        h("div", { class: "sign-in-brand" }, h("h1", {}, words.appName), h("p", {}, words.appPurpose)),
        h(
          "form",
          { submit: (event) => void submit(event), "aria-label": words.signIn.title },
          h("label", { for: "username" }, words.signIn.username),
          username,
          h("label", { for: "password" }, words.signIn.password),
          password,
          message,
          button,
        ),
        languageChoice(language, words, onLanguage),
      ),
    );
    username.focus();
  });
}
