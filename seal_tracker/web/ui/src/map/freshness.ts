/** A seal that said nothing for this long is not shown as live. */
export const FRESH_MS = 180_000;
