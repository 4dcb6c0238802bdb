import { LISTED_ROWS } from "./listed-rows.ts";

/** Upstream's bugs that are followed: no difference, so no case needs them. */
const FOLLOWED_ROWS = ["kept-quirks"] as const;

/** What the API server makes of a class before anybody reads it. */
const API_SERVER_ROWS = ["cloud-name-null"] as const;

/** Ids of the rows of docs/reference/compatibility.md. */
export const COMPATIBILITY_ROWS: readonly string[] = [...LISTED_ROWS, ...FOLLOWED_ROWS, ...API_SERVER_ROWS];
