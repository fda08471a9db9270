// The page on which the API can be read and tried: Swagger UI over the description that the service gives of itself.
// Requests go out as whoever is signed in here; unsafe ones carry the session's token against forgery.
import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";

interface Outgoing {
  url: string;
  method?: string;
  headers: Record<string, string>;
}

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

async function csrf(): Promise<string | null> {
  const answer = await fetch("/api/v1/session");
  if (!answer.ok) return null;
  return ((await answer.json()) as { csrf: string | null }).csrf;
}

SwaggerUI({
  dom_id: "#api",
  url: "/api/v1/openapi.json",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  validatorUrl: null, // nothing is sent anywhere else
  requestInterceptor: async (request: Outgoing): Promise<Outgoing> => {
    if (SAFE.has((request.method ?? "GET").toUpperCase()) || request.headers["Authorization"]) return request;
    const token = await csrf();
    if (token !== null) request.headers["X-CSRF-Token"] = token;
    return request;
  },
});
