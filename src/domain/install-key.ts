/** The install's own key, with which the worker recognizes its own records. Exists only in memory. */
export interface InstallKey {
  readonly bytes: Uint8Array;
  /**
   * Unix milliseconds of the upgrade from 0.3.0. The worker does not trust the signature of that version on newer records. `Infinity` if
   * the install has not been upgraded yet.
   */
  readonly formerUntil: number;
}
