/** The languages the page speaks. Another one is a file in `locales/` and a line here. */

import ar from "../../locales/ar.ftl";
import en from "../../locales/en.ftl";
import fr from "../../locales/fr.ftl";
import ja from "../../locales/ja.ftl";
import { teach } from "./bundles";

teach("en", en);
teach("fr", fr);
teach("ar", ar);
teach("ja", ja);
