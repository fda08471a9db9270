// Who reads: the language's words and formats, passed to every view.
import { LANGUAGES, type Language, type Messages } from "../i18n";
import { makeFormat, type Format } from "../i18n/format";

export interface Reader {
  language: Language;
  words: Messages;
  format: Format;
}

export function readerOf(language: Language): Reader {
  const words = LANGUAGES[language];
  return { language, words, format: makeFormat(language, words) };
}
