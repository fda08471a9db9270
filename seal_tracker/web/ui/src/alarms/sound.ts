// A short sound for each severity, made by the browser: worse is higher and more often. Information makes none.
import type { Severity } from "../api/types";

const TONES: Record<Severity, { hz: number; times: number }> = {
  critical: { hz: 880, times: 3 },
  high: { hz: 660, times: 2 },
  medium: { hz: 520, times: 1 },
  low: { hz: 420, times: 1 },
  info: { hz: 0, times: 0 },
};
const TONE_S = 0.14;
const PAUSE_S = 0.1;
const LOUD = 0.2;

export class Sound {
  readonly #context = new AudioContext();

  play(severity: Severity): void {
    const { hz, times } = TONES[severity];
    void this.#context.resume();
    for (let i = 0; i < times; i += 1) this.#tone(hz, this.#context.currentTime + i * (TONE_S + PAUSE_S));
  }

  #tone(hz: number, at_s: number): void {
    const tone = this.#context.createOscillator();
    const gain = this.#context.createGain();
    tone.frequency.value = hz;
    gain.gain.setValueAtTime(LOUD, at_s);
    gain.gain.exponentialRampToValueAtTime(0.001, at_s + TONE_S); // without a fall it clicks
    tone.connect(gain).connect(this.#context.destination);
    tone.start(at_s);
    tone.stop(at_s + TONE_S);
  }
}
