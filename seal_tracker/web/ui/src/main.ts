// Where the page starts: sign in if need be, change a password that was given, then the control room; again from the top when the language or the plan changes.
import { currentSession } from "./api/client";
import type { Session } from "./api/types";
import { preferredLanguage } from "./i18n";
import type { Camera } from "./map/view";
import { ControlRoom } from "./view/control_room";
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

async function start(notice: string, camera: Camera | null = null): Promise<void> {
  const reader = readerOf(preferredLanguage());
  document.documentElement.lang = reader.language;
  try {
    const session = (await currentSession()) ?? (await askToSignIn(app, reader, notice, () => void start(notice)));
    await openRoom(session.must_change_password ? await askForNewPassword(app, reader, session) : session, camera);
  } catch {
    failed();
  }
}

async function openRoom(session: Session, camera: Camera | null): Promise<void> {
  const reader = readerOf(preferredLanguage());
  await ControlRoom.open(app, session, reader, camera, {
    signedOut: (notice) => void start(notice ? reader.words.signIn.ended : ""),
    again: (at) => void start("", at),
  });
}

void start("");
