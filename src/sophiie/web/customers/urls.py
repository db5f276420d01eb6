"""The addresses of the pages of customers."""

from django.urls import path

from sophiie.web.customers import exporting, importing, merging, views

urlpatterns = [
    path("customers", views.customer_list, name="customer-list"),
    path("customers/new", views.customer_new, name="customer-new"),
    path("customers/doubles", merging.doubles, name="customer-doubles"),
    path("customers/import", importing.customer_import, name="customer-import"),
    path("customers/export", exporting.customer_export, name="customer-export"),
    path("customers/<uuid:customer_id>", views.customer, name="customer"),
    path("customers/<uuid:customer_id>/edit", views.customer_edit, name="customer-edit"),
    path("customers/<uuid:customer_id>/merge", merging.customer_merge, name="customer-merge"),
    path("customers/<uuid:customer_id>/apart", merging.customer_apart, name="customer-apart"),
    path("customers/<uuid:customer_id>/delete", views.customer_delete, name="customer-delete"),
]
