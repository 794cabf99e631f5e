/** Offers to translate on the reader's own device, where the browser could after a download. */

import { locale, t } from "../i18n/bundles";
import { decline, download, offers } from "../state/translations";
import { textLanguageName } from "../text/languages";
import { Icon } from "./icons";
import { IconButton } from "./parts";

export function Offers() {
  const offer = offers.value[0];
  if (offer === undefined) {
    return null;
  }
  const language = textLanguageName(offer.source, locale.value);
  return (
    <div class="banner is-offer" role="status">
      <Icon name="translate" />
      <span>{t("offer-download", { language })}</span>
      {offer.progress === undefined ? (
        <button type="button" class="link" onClick={() => void download(offer)}>
          {t("download")}
        </button>
      ) : (
        <progress max={1} value={offer.progress} aria-label={t("downloading")} />
      )}
      <span class="spacer" />
      <IconButton icon="close" label={t("close")} onClick={decline} />
    </div>
  );
}
