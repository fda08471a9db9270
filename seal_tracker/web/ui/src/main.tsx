// Where the page starts: sign in if need be, change a password that was given, then the room; again from the top when the language changes.
import { render } from "preact";
import { currentSession } from "./api/client";
import type { Session } from "./api/types";
import { Room } from "./app/room";
import { Shell } from "./app/shell";
import { preferredLanguage } from "./i18n";
import { h } from "./view/dom";
import { askForNewPassword } from "./view/new_password";
import { readerOf } from "./view/reader";
import { askToSignIn } from "./view/sign_in";

const RETRY_MS = 3_000;

const root = document.getElementById("app");
if (!root) throw new Error("index.html has no #app");
const app = root;

function failed(): void {
  app.replaceChildren(h("main", { class: "sign-in" }, h("p", { role: "alert" }, readerOf(preferredLanguage()).words.signIn.unreachable)));
  window.setTimeout(() => void start(""), RETRY_MS);
}

async function start(notice: string): Promise<void> {
  const reader = readerOf(preferredLanguage());
  document.documentElement.lang = reader.language;
  try {
    const session = (await currentSession()) ?? (await askToSignIn(app, reader, notice, () => void start(notice)));
    await openRoom(session.must_change_password ? await askForNewPassword(app, reader, session) : session);
  } catch {
    failed();
  }
}

async function openRoom(session: Session): Promise<void> {
  const reader = readerOf(preferredLanguage());
  const left = (notice: string): void => {
    render(null, app);
    void start(notice);
  };
  const room = await Room.open(session, reader, () => left(reader.words.signIn.ended));
  const leave = (): void => {
    room.stop();
    left("");
  };
  app.replaceChildren();
  render(<Shell room={room} leave={leave} />, app);
}

void start("");
