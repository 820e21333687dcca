import type { HeroRole } from "../../model/keys.ts";

/** A responsive variant of a live picture. */
export interface HeroVariant {
  readonly url: string;
  readonly type: string;
  /** Pixels. */
  readonly width: number;
}

/** What the owner item says of the hero images, in the model's names. */
export interface HeroPointer {
  readonly profileImageDefault: string | null;
  readonly profileImageHover: string | null;
  readonly profileImageVariants?: Readonly<Partial<Record<HeroRole, readonly HeroVariant[]>>>;
  readonly updatedAt: string | null;
}

/** What is live, and since when. */
export type LivePictures = Pick<HeroPointer, "profileImageDefault" | "profileImageHover" | "updatedAt">;

/** Where what is live in a role stands. */
export const pointers = {
  default: "profileImageDefault",
  hover: "profileImageHover",
} as const satisfies Record<HeroRole, keyof HeroPointer>;

/** What is live in a role; null where nothing is. */
export function liveIn(pointer: LivePictures, role: HeroRole): string | null {
  return pointer[pointers[role]];
}

/** The smaller ones of what is live by default. */
export function liveVariants({ profileImageVariants }: HeroPointer): readonly HeroVariant[] {
  return profileImageVariants?.default ?? [];
}
