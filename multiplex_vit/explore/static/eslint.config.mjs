import js from "@eslint/js";

const BROWSER = ["window", "document", "location", "history", "atob", "Image", "OffscreenCanvas", "ResizeObserver", "requestAnimationFrame", "setInterval", "clearInterval", "setTimeout", "URL", "URLSearchParams", "Blob", "XMLSerializer"];

export default [
  js.configs.recommended,
  {
    files: ["src/*.js"],
    languageOptions: { globals: Object.fromEntries(BROWSER.map((name) => [name, "readonly"])) },
    rules: {
      "prefer-const": "error",
      "no-var": "error",
      eqeqeq: "error",
      "max-len": ["error", { code: 200 }],
      "max-lines": ["error", 400],
      "no-restricted-properties": ["error", { property: "innerHTML" }, { property: "outerHTML" }, { property: "insertAdjacentHTML" }],
    },
  },
];
