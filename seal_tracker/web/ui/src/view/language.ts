// The choice of language: two small buttons, the current one pressed.
import { rememberLanguage, type Language, type Messages } from "../i18n";
import { h } from "./dom";

const NAMES: Record<Language, string> = { vi: "Tiếng Việt", en: "English" };

export function languageChoice(current: Language, words: Messages, changed: () => void): HTMLElement {
  const choose = (language: Language) => () => {
    if (language === current) return;
    rememberLanguage(language);
    changed();
  };
  const button = (language: Language): HTMLElement =>
    h("button", { type: "button", lang: language, title: NAMES[language], "aria-label": `${language.toUpperCase()}: ${NAMES[language]}`, "aria-pressed": String(language === current), click: choose(language) }, language.toUpperCase());
  return h("div", { class: "language", role: "group", "aria-label": words.language }, button("vi"), button("en"));
}
