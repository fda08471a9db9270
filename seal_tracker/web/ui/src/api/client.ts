// The service's HTTP API from the page: same origin, session cookie, problem+json turned into ApiError.
import type { CloudEvent, Config, Episode, Page, Routes, SealState, Session, Zones } from "./types";

/** A page of items asked for at once; the service may give fewer. */
const PAGE_SIZE = 1000;

/** The service refused; `status` 0 means that it could not be reached. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export const apiUrl = (path: string): string => new URL(`api/v1/${path}`, document.baseURI).href;

async function reasonOf(response: Response): Promise<string> {
  try {
    const problem = (await response.json()) as { detail?: string; title?: string };
    return problem.detail ?? problem.title ?? response.statusText;
  } catch {
    return response.statusText;
  }
}

async function request<T>(path: string, init: RequestInit = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(apiUrl(path), { ...init, credentials: "same-origin", cache: "no-store" });
  } catch (cause) {
    throw new ApiError(0, String(cause));
  }
  if (!response.ok) throw new ApiError(response.status, await reasonOf(response));
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

async function everything<T>(path: string, took: (items: T[]) => void = () => undefined): Promise<T[]> {
  const items: T[] = [];
  const separator = path.includes("?") ? "&" : "?";
  let after: string | null = null;
  do {
    const cursor: string = after === null ? "" : `&after=${encodeURIComponent(after)}`;
    const page: Page<T> = await request<Page<T>>(`${path}${separator}limit=${PAGE_SIZE}${cursor}`);
    items.push(...page.items);
    took(page.items);
    after = page.items.length > 0 && page.next !== after ? page.next : null;
  } while (after !== null);
  return items;
}

export const signIn = (username: string, password: string): Promise<Session> =>
  request("session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ username, password }),
  });

export const signOut = (session: Session): Promise<void> =>
  request("session", { method: "DELETE", headers: { "X-CSRF-Token": session.csrf ?? "" } });

/** Change one's own password; the session goes on as another. */
export const changePassword = (session: Session, current: string, replacement: string): Promise<Session> =>
  request("accounts/me/password", {
    method: "PUT",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": session.csrf ?? "" },
    body: JSON.stringify({ current, new: replacement }),
  });

/** Who is signed in, or null. */
export async function currentSession(): Promise<Session | null> {
  try {
    return await request<Session>("session");
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  }
}

/** By how much the service's clock is ahead of this browser's, to the second; 0 where it does not say. */
export async function serverAhead_ms(): Promise<number> {
  const response = await fetch(new URL("healthz", document.baseURI), { cache: "no-store" });
  const said_ms = Date.parse(response.headers.get("Date") ?? "");
  return Number.isNaN(said_ms) ? 0 : said_ms - Date.now();
}

export const getConfig = (): Promise<Config> => request("config");
export const getZones = (): Promise<Zones> => request("zones");
export const getRoutes = (): Promise<Routes> => request("routes");
/** Every seal; `took` gets each page as it comes, so that no more than that is done at once. */
export const getSeals = (took: (items: SealState[]) => void): Promise<SealState[]> => everything("seals", took);
export const getOpenEpisodes = (): Promise<Episode[]> => everything("episodes?open=true");
export const getNewestEvents = async (limit: number): Promise<CloudEvent[]> =>
  (await request<Page<CloudEvent>>(`events?order=desc&limit=${limit}`)).items;
