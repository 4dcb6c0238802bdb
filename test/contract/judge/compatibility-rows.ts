import { LISTED_ROWS } from "./listed-rows.ts";

/** Upstream's bugs that we reproduce: they make no difference, so that no case needs them. */
const FOLLOWED_ROWS = ["kept-quirks"] as const;

/** Changes that the API server makes to a class before any client reads it. */
const API_SERVER_ROWS = ["cloud-name-null"] as const;

/** Ids of the rows of docs/reference/compatibility.md. */
export const COMPATIBILITY_ROWS: readonly string[] = [...LISTED_ROWS, ...FOLLOWED_ROWS, ...API_SERVER_ROWS];
