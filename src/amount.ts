/** How far something is. */
export interface Amount {
  readonly done: number;
  /** May be too small where more came since it was counted. */
  readonly total: number;
  /** What is counted, in the plural; left out for bytes. */
  readonly of?: string;
}

/** Tells what is being done, and how far it is where that is known. */
export type Tell = (what: string, amount?: Amount) => void;
