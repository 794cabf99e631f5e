/** Starts the page. */

import { effect } from "@preact/signals";
import { render } from "preact";

import "./i18n/locales";
import { choose, locale, localeDirection } from "./i18n/bundles";
import { applyTheme, pageLanguage } from "./io/preferences";
import { App } from "./views/App";

applyTheme();
effect(() => {
  locale.value = choose([pageLanguage.value, ...navigator.languages].filter((tag) => tag !== ""));
});
effect(() => {
  document.documentElement.lang = locale.value;
  document.documentElement.dir = localeDirection();
});
render(<App />, document.querySelector("#app") as HTMLElement);
