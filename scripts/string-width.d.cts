export = stringWidth;
declare function stringWidth(text: string, options?: object): number;
