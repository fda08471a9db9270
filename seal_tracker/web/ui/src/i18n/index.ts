// The words of the page in the reader's language, which is remembered in this browser.
import { en } from "./en";
import { vi } from "./vi";

export type Messages = typeof en;
export type Language = "vi" | "en";

export const LANGUAGES: Record<Language, Messages> = { vi, en };

const STORAGE_KEY = "seal-tracker.language";

/** The remembered choice, else the browser's preference, else Vietnamese. */
export function preferredLanguage(): Language {
  const remembered = localStorage.getItem(STORAGE_KEY);
  if (remembered === "vi" || remembered === "en") return remembered;
  return navigator.languages.some((tag) => tag.startsWith("vi")) || !navigator.language.startsWith("en") ? "vi" : "en";
}

export function rememberLanguage(language: Language): void {
  localStorage.setItem(STORAGE_KEY, language);
}

/** `template` with each {name} replaced. */
export function fill(template: string, values: Record<string, string | number>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The word for `key`, or the key itself made readable where the service knows more than this page. */
export function word(words: Record<string, string>, key: string): string {
  return words[key] ?? key.toLowerCase().replaceAll("_", " ");
}
