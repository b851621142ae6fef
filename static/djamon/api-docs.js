// Shows the OpenAPI description that #api-docs names. Nothing inline: the content security policy has no exceptions.
(() => {
  "use strict";
  const place = document.getElementById("api-docs");
  window.SwaggerUIBundle({
    url: place.dataset.url,
    domNode: place,
    layout: "BaseLayout",
    deepLinking: true,
    validatorUrl: null, // asks nobody outside
  });
})();
