// The service's API, typed by its own description: what it does not have does not compile. A refusal is an ApiError.
import createClient, { type Client, type Middleware } from "openapi-fetch";
import type { Readable } from "openapi-typescript-helpers";
import type { components, paths } from "./schema";
import { ApiError } from "./client";

/** What crosses the API, by the names of its description. */
export type Schema = { [Name in keyof components["schemas"]]: Readable<components["schemas"][Name]> };
export type Service = Client<paths>;

interface Problem {
  detail?: string;
  title?: string;
  field?: string;
}

/** A client for one session; `csrf` is shown with everything that changes something. */
export function serviceOf(csrf: string | null): Service {
  const client = createClient<paths>({ baseUrl: new URL(".", document.baseURI).href.replace(/\/$/, ""), credentials: "same-origin", cache: "no-store" });
  const guarded: Middleware = {
    onRequest({ request }) {
      if (csrf && request.method !== "GET") request.headers.set("X-CSRF-Token", csrf);
      return request;
    },
    onError({ error }) {
      return new ApiError(0, String(error));
    },
  };
  client.use(guarded);
  return client;
}

/** The answer, or what the service said against it. */
export async function answered<T>(asked: Promise<{ data?: T | undefined; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await asked;
  if (response.ok) return data as T;
  const { detail, title } = (error ?? {}) as Problem;
  throw new ApiError(response.status, detail ?? title ?? response.statusText);
}
