// Numbers, lengths, durations and times as the reader's language writes them. Pure.
import { fill, type Language, type Messages } from "./index";

/** Where the people are whose cargo it is; UTC is shown on hover. */
const TIME_ZONE = "Asia/Ho_Chi_Minh";
/** Keeps a number and its unit on one line. */
export const NBSP = "\u00a0";
const LOCALES: Record<Language, string> = { vi: "vi-VN", en: "en-GB" };

export interface Format {
  number(value: number, digits?: number): string;
  length(metres: number): string;
  duration(seconds: number): string;
  /** Day and month of a moment. */
  day(ms: number): string;
  /** Hours, minutes and seconds, with the day where it is not that of `now_ms`. */
  clock(iso: string, now_ms: number): string;
  /** The same without seconds. */
  minute(iso: string, now_ms: number): string;
  /** Day and time in full. */
  moment(iso: string): string;
}

export function makeFormat(language: Language, words: Messages): Format {
  const locale = LOCALES[language];
  const clock = new Intl.DateTimeFormat(locale, { timeZone: TIME_ZONE, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  const minute = new Intl.DateTimeFormat(locale, { timeZone: TIME_ZONE, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const day = new Intl.DateTimeFormat(locale, { timeZone: TIME_ZONE, day: "2-digit", month: "2-digit" });
  const year = new Intl.DateTimeFormat(locale, { timeZone: TIME_ZONE, day: "2-digit", month: "2-digit", year: "numeric" });
  const byDigits = new Map<number, Intl.NumberFormat>();

  const number = (value: number, digits = 0): string => {
    let format = byDigits.get(digits);
    if (!format) byDigits.set(digits, (format = new Intl.NumberFormat(locale, { maximumFractionDigits: digits })));
    return format.format(value);
  };

  const withDay = (hours: Intl.DateTimeFormat, iso: string, now_ms: number): string => {
    const at = new Date(iso);
    return day.format(at) === day.format(now_ms) ? hours.format(at) : `${day.format(at)} ${hours.format(at)}`;
  };

  return {
    number,
    length: (metres) => (Math.abs(metres) < 1000 ? `${number(metres)}${NBSP}m` : `${number(metres / 1000, Math.abs(metres) < 10_000 ? 1 : 0)}${NBSP}km`),
    duration: (seconds) => durationText(Math.max(0, seconds), words.unit).replaceAll(" ", NBSP),
    day: (ms) => day.format(ms),
    clock: (iso, now_ms) => withDay(clock, iso, now_ms),
    minute: (iso, now_ms) => withDay(minute, iso, now_ms),
    moment: (iso) => `${year.format(new Date(iso))} ${clock.format(new Date(iso))}`,
  };
}

function durationText(seconds: number, unit: Messages["unit"]): string {
  if (seconds < 60) return fill(unit.second, { n: Math.round(seconds) });
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return fill(unit.minute, { n: minutes });
  const hours = Math.floor(minutes / 60);
  if (hours >= 24) return fill(unit.day, { d: Math.floor(hours / 24), h: hours % 24 });
  return minutes % 60 === 0 ? fill(unit.hour, { n: hours }) : fill(unit.hourMinute, { h: hours, m: minutes % 60 });
}
