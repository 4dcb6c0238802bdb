/** The install's own key, by which it knows what it wrote. In memory only. */
export interface InstallKey {
  readonly bytes: Uint8Array;
  /**
   * Unix milliseconds of the upgrade from 0.3.0: no record that is younger is believed on the signature of that version. `Infinity` where
   * the install has not been upgraded yet.
   */
  readonly formerUntil: number;
}
