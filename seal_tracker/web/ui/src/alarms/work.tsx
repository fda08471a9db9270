// What is done to alarms: sent to the service, which alone decides; its answer is shown at once, and the stream tells everybody else.
import type { JSX } from "preact";
import { ApiError } from "../api/client";
import { answered, type Schema } from "../api/service";
import { Changes } from "../app/changes";
import { useChanges } from "../app/context";
import type { Room } from "../app/room";
import { isUnacknowledged, type Alarm } from "../live/alarms";

/** Acknowledged in one request; the service takes no more. */
const AT_ONCE = 500;

export type ClosingCode = Schema["AlarmClose"]["code"];

export class Work {
  readonly #failures = new Changes();
  #failed = "";

  constructor(private readonly room: Room) {}

  async acknowledge(alarms: readonly Alarm[]): Promise<void> {
    const ids = alarms.filter(isUnacknowledged).map(({ alarm }) => alarm);
    for (let i = 0; i < ids.length; i += AT_ONCE) {
      const body = { ids: ids.slice(i, i + AT_ONCE), note: null };
      await this.#try(async () => {
        const { items } = await answered(this.room.service.POST("/api/v1/alarms/ack", { body }));
        const refused = items.find(({ done }) => !done);
        if (refused) this.#say(refused.detail ?? "");
      });
    }
  }

  note(alarm: Alarm, note: string): Promise<boolean> {
    return this.#do(() => this.room.service.POST("/api/v1/alarms/{alarm}/note", { params: { path: { alarm: alarm.alarm } }, body: { note } }));
  }

  assign(alarm: Alarm, to: string): Promise<boolean> {
    return this.#do(() => this.room.service.POST("/api/v1/alarms/{alarm}/assign", { ...this.#at(alarm), body: { to, note: null } }));
  }

  dispatch(alarm: Alarm, to: string, note: string): Promise<boolean> {
    return this.#do(() => this.room.service.POST("/api/v1/alarms/{alarm}/dispatch", { ...this.#at(alarm), body: { to, note: note || null } }));
  }

  shelve(alarm: Alarm, until: string, reason: string): Promise<boolean> {
    return this.#do(() => this.room.service.POST("/api/v1/alarms/{alarm}/shelve", { ...this.#at(alarm), body: { until, reason, note: null } }));
  }

  close(alarm: Alarm, code: ClosingCode, note: string, reset: boolean): Promise<boolean> {
    return this.#do(() => this.room.service.POST("/api/v1/alarms/{alarm}/close", { ...this.#at(alarm), body: { code, note: note || null, reset } }));
  }

  /** Somebody looks at it: the service notes who, and when first. Not worth a word where it fails. */
  async seen({ alarm }: Alarm): Promise<void> {
    if (this.room.may("handle_alarms")) await this.room.service.POST("/api/v1/alarms/{alarm}/seen", { params: { path: { alarm } } }).catch(() => undefined);
  }

  /** What the service last said against something, until it is read. */
  readonly Failure = (): JSX.Element | null => {
    useChanges(this.#failures);
    if (!this.#failed) return null;
    return (
      <div class="failure" role="alert">
        {this.#failed}
        <button type="button" onClick={() => this.#say("")} aria-label={this.room.reader.words.close}>
          ×
        </button>
      </div>
    );
  };

  /** What the service needs to know that nobody has changed it unseen: the version that the page shows by now. */
  #at({ alarm, version }: Alarm): { params: { path: { alarm: string }; header: { "If-Match": string } } } {
    const shown = this.room.alarmBook.get(alarm)?.version ?? version;
    return { params: { path: { alarm }, header: { "If-Match": `"${shown}"` } } };
  }

  async #do(ask: () => Promise<{ data?: Schema["AlarmItem"] | undefined; error?: unknown; response: Response }>): Promise<boolean> {
    return this.#try(async () => {
      this.room.alarmBook.take([await answered(ask())]);
    });
  }

  async #try(what: () => Promise<void>): Promise<boolean> {
    try {
      this.#say("");
      await what();
      return true;
    } catch (error) {
      const { words } = this.room.reader;
      if (error instanceof ApiError && error.status === 412) this.#say(words.changedMeanwhile);
      else this.#say(error instanceof ApiError && error.status ? error.message : words.signIn.unreachable);
      return false;
    }
  }

  #say(text: string): void {
    if (text === this.#failed) return;
    this.#failed = text;
    this.#failures.tell();
  }
}
