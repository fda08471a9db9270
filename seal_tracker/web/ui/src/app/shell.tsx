// The frame of every view: the bar on top, the ways to the views, and the view that the address names.
import type { ComponentType, JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { signOut } from "../api/client";
import { Bar } from "./bar";
import { RoomContext, useChanges, useLoaded, useRoom } from "./context";
import type { Room } from "./room";
import { FIRST, VIEWS, type View } from "./views";

export function Shell({ room, leave }: { room: Room; leave: () => void }): JSX.Element {
  useChanges(room.address.changes);
  const allowed = VIEWS.filter(({ right }) => right === null || room.may(right));
  const view = allowed.find(({ id }) => id === room.address.place.view) ?? allowed.find(({ id }) => id === FIRST);
  const { words } = room.reader;
  const signedOut = async (): Promise<void> => {
    await signOut(room.session).catch(() => undefined);
    leave();
  };
  useEffect(() => {
    document.title = view ? `${words.views[view.id]} · ${words.appName}` : words.appName;
  }, [view]);
  return (
    <RoomContext.Provider value={room}>
      {!view?.bare && (
        <>
          <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), document.getElementById("main")?.focus())}>
            {words.skipToMain}
          </a>
          <Bar views={allowed} current={view?.id ?? FIRST} signOut={() => void signedOut()} again={leave} />
        </>
      )}
      <main id="main" class={`view view-${view?.id ?? ""}`} tabIndex={-1}>
        {view && <Outlet key={view.id} view={view} />}
      </main>
    </RoomContext.Provider>
  );
}

function Outlet({ view }: { view: View }): JSX.Element {
  const { words } = useRoom().reader;
  const load = useMemo(() => () => view.load().then((module) => ({ component: module.default })), [view]);
  const found = useLoaded<{ component: ComponentType }>(load, [view]);
  if (found.state === "there") {
    const Found = found.value.component;
    return <Found />;
  }
  return <p class="empty">{found.state === "failed" ? words.notLoaded : words.loading}</p>;
}
